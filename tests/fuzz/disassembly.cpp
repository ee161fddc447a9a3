// SPDX-License-Identifier: GPL-2.0
// A guest's bytes as an instruction, in each of the three sizes of code.
#include "machine/disassembly.hpp"

#include <array>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::size_t kLongest = 15;  // Intel SDM 2A, 2.3.11

const Disassembler& disassembler(CodeSize size) {
  static const std::array<Disassembler, 3> all{Disassembler(CodeSize::bits16),
                                               Disassembler(CodeSize::bits32),
                                               Disassembler(CodeSize::bits64)};
  return all.at(static_cast<std::size_t>(size));
}

CodeState state_of(CodeSize size, Input& input) {
  CodeState state{};
  state.sregs.cs.l = size == CodeSize::bits64;
  state.sregs.cs.db = size == CodeSize::bits32;
  state.sregs.ds.base = state.sregs.es.base = input.number<std::uint32_t>();
  state.sregs.ss.base = state.sregs.fs.base = input.number<std::uint64_t>();
  state.regs.rax = state.regs.rbx = state.regs.r8 = input.number<std::uint64_t>();
  state.regs.rdi = state.regs.rsi = state.regs.rbp = input.number<std::uint64_t>();
  return state;
}

}  // namespace

FUZZ_TARGET(data, length) {
  Input input(data, length);
  const auto how = input.number<std::uint8_t>();
  const auto size = static_cast<CodeSize>(how % 3);
  const auto address = input.number<std::uint64_t>();
  const IoExit io{.direction = (how & 0x40) != 0 ? Direction::in : Direction::out,
                  .size = static_cast<std::uint8_t>(1U << (how >> 4 & 3) % 3),
                  .port = input.number<std::uint8_t>(),
                  .count = (how & 0x80) != 0 ? 2U : 1U,
                  .data = {}};
  const auto code = input.bytes(20);
  const CodeState state = state_of(size, input);
  require(code_size(state.sregs) == size, "code has the size of its segment");

  const auto first = disassembler(size).first(code, address);
  if (first) {
    require(first->length > 0 && first->length <= std::min(kLongest, code.size()),
            "an instruction is of these bytes");
    require(first->address == address && !first->text.empty() && is_safe(first->text),
            "it has an address and a text");
  }

  const auto stores = [&](bool there) {
    return disassembler(size).store_to(code, address, state, [&](std::uint64_t linear) {
      require(size == CodeSize::bits64 || linear <= 0xffffffff, "addresses have their size");
      return there;
    });
  };
  for (const auto& store : {stores(true), stores(false)})
    require(!store || (first && *store == first->length), "a store is an instruction");
  require(stores(true).has_value() || !stores(false), "what stores nowhere is told by the address");

  const auto access = port_access(code, size, io);
  if (!access) return 0;
  require(*access > 0 && *access <= std::min<std::size_t>(code.size(), 6), "so is a port access");
  const auto exact = disassembler(size).first(code.first(*access), address);
  require(!exact || exact->length <= *access, "as long as it says");
  return 0;
}
