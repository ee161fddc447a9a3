// SPDX-License-Identifier: GPL-2.0
#include "machine/disassembly.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vmctl {
namespace {

using Bytes = std::vector<std::uint8_t>;

IoExit io(Direction direction, std::uint8_t size, std::uint16_t port, std::uint32_t count = 1) {
  return {.direction = direction, .size = size, .port = port, .count = count, .data = {}};
}

TEST(Disassembly, InEachCodeSize) {
  const Bytes code{0x0f, 0x22, 0xc0, 0x90};
  EXPECT_EQ(Disassembler(CodeSize::bits16).first(code, 0x1000)->text, "mov cr0, eax");
  EXPECT_EQ(Disassembler(CodeSize::bits64).first(code, 0x1000)->text, "mov cr0, rax");
  const auto first = Disassembler(CodeSize::bits32).first(code, 0x1000);
  EXPECT_EQ(first->address, 0x1000U);
  EXPECT_EQ(first->length, 3U);
  EXPECT_EQ(Disassembler(CodeSize::bits32).first(Bytes{0xf4}, 0)->text, "hlt");
  EXPECT_FALSE(Disassembler(CodeSize::bits64).first(Bytes{0x06}, 0));
  EXPECT_FALSE(Disassembler(CodeSize::bits64).first(Bytes{0x0f}, 0));
  EXPECT_FALSE(Disassembler(CodeSize::bits64).first(Bytes{}, 0));
}

TEST(Disassembly, PortAccessesAreKnownByDirectionWidthAndPort) {
  const auto in = Direction::in;
  const auto out = Direction::out;
  const auto bits16 = CodeSize::bits16;
  EXPECT_EQ(port_access(Bytes{0xee}, bits16, io(out, 1, 0x3f8)), 1U);
  EXPECT_EQ(port_access(Bytes{0xec}, bits16, io(in, 1, 0x3f8)), 1U);
  EXPECT_FALSE(port_access(Bytes{0xee}, bits16, io(in, 1, 0x3f8)));
  EXPECT_FALSE(port_access(Bytes{0xee}, bits16, io(out, 2, 0x3f8)));
  EXPECT_EQ(port_access(Bytes{0xef}, bits16, io(out, 2, 0x3f8)), 1U);
  EXPECT_EQ(port_access(Bytes{0x66, 0xef}, bits16, io(out, 4, 0x3f8)), 2U);
  EXPECT_EQ(port_access(Bytes{0xef}, CodeSize::bits32, io(out, 4, 0x3f8)), 1U);
  EXPECT_EQ(port_access(Bytes{0x66, 0xed}, CodeSize::bits64, io(in, 2, 0x3f8)), 2U);
  EXPECT_EQ(port_access(Bytes{0xe6, 0x10}, bits16, io(out, 1, 0x10)), 2U);
  EXPECT_FALSE(port_access(Bytes{0xe6, 0x11}, bits16, io(out, 1, 0x10)));
  EXPECT_FALSE(port_access(Bytes{0xe6}, bits16, io(out, 1, 0x10)));
  EXPECT_EQ(port_access(Bytes{0xf3, 0x6e}, bits16, io(out, 1, 0x3f8, 5)), 2U);
  EXPECT_EQ(port_access(Bytes{0xf3, 0x6c}, bits16, io(in, 1, 0x3f8, 5)), 2U);
  EXPECT_FALSE(port_access(Bytes{0xee}, bits16, io(out, 1, 0x3f8, 5)));
  EXPECT_FALSE(port_access(Bytes{0x66}, bits16, io(out, 1, 0x3f8)));
  EXPECT_FALSE(port_access(Bytes{}, bits16, io(out, 1, 0x3f8)));
}

TEST(Disassembly, StoresAreKnownByTheirAddress) {
  CodeState state{};
  state.sregs.cs.db = 1;
  state.sregs.ds.base = 0x100000;
  state.regs.rbx = 0xb8000;
  state.regs.rsi = 4;
  const auto at = [](std::uint64_t wanted) {
    return [wanted](std::uint64_t linear) { return linear == wanted; };
  };
  const Disassembler disassembler(CodeSize::bits32);
  const Bytes store{0x89, 0x44, 0xb3, 0x02};  // mov [ebx + esi * 4 + 2], eax
  EXPECT_EQ(disassembler.store_to(store, 0, state, at(0x1b8012)), 4U);
  EXPECT_FALSE(disassembler.store_to(store, 0, state, at(0x1b8000)));
  const Bytes load{0x8b, 0x44, 0xb3, 0x02};
  EXPECT_FALSE(disassembler.store_to(load, 0, state, at(0x1b8012)));
  const Bytes string{0xf3, 0xab};  // rep stosd, whose edi has moved on
  EXPECT_EQ(disassembler.store_to(string, 0, state, at(0)), 2U);
}

TEST(Disassembly, AddressesWrapAndCountFromRip) {
  CodeState state{};
  state.sregs.cs.l = 1;
  const auto at = [](std::uint64_t wanted) {
    return [wanted](std::uint64_t linear) { return linear == wanted; };
  };
  const Bytes relative{0x89, 0x05, 0x10, 0x00, 0x00, 0x00};  // mov [rip + 0x10], eax
  EXPECT_EQ(Disassembler(CodeSize::bits64).store_to(relative, 0x1000, state, at(0x1016)), 6U);
  state.sregs.cs.l = 0;
  state.regs.rbx = 0xffff;
  state.regs.rsi = 2;
  const Bytes wraps{0x88, 0x00};  // mov [bx + si], al
  EXPECT_EQ(Disassembler(CodeSize::bits16).store_to(wraps, 0, state, at(1)), 2U);
}

}  // namespace
}  // namespace vmctl
