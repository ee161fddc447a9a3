// SPDX-License-Identifier: GPL-2.0
#include "machine/code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace vmctl {
namespace {

constexpr std::uint64_t kPage = 4096;

// Two pages, the first of which is mapped at 0 and the second, where `second` says so, behind it.
class Code : public testing::Test {
 protected:
  std::optional<Instruction> made(std::initializer_list<std::uint8_t> code, std::uint64_t at,
                                  std::uint64_t rip, const Exit& exit) {
    std::copy(code.begin(), code.end(),
              memory.regions().front().bytes.begin() + static_cast<std::ptrdiff_t>(at));
    CodeState state{};
    state.regs.rip = rip;
    return instruction_of(space, state, exit);
  }

  GuestMemory memory = *GuestMemory::create(2 * kPage, GuestAddr{2 * kPage}, GuestAddr{1ULL << 32});
  bool second = true;
  AddressSpace space{.translate = [this](std::uint64_t linear) -> std::optional<GuestAddr> {
                       if (linear >= (second ? 2 * kPage : kPage)) return std::nullopt;
                       return GuestAddr{linear};
                     },
                     .memory = memory};
  std::array<std::uint8_t, 1> data{};
  Exit out =
      IoExit{.direction = Direction::out, .size = 1, .port = 0x3f8, .count = 1, .data = data};
};

TEST_F(Code, IsReadAcrossPagesAsFarAsTheyAre) {
  EXPECT_EQ(read_code(space, kPage - 2, 15).size(), 15U);
  second = false;
  EXPECT_EQ(read_code(space, kPage - 2, 15).size(), 2U);
  EXPECT_TRUE(read_code(space, kPage, 15).empty());
}

TEST_F(Code, OfAnExitIsAtRipOrBeforeIt) {
  const auto at = made({0xee, 0xf4}, 0x100, 0x100, out);
  ASSERT_TRUE(at);
  EXPECT_EQ(at->address, 0x100U);
  EXPECT_EQ(at->text, "out dx, al");
  const auto before = made({0x90, 0xee, 0xf4}, 0x200, 0x202, out);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->address, 0x201U);
  EXPECT_EQ(before->text, "out dx, al");
}

TEST_F(Code, OfAnExitMayBeginOnThePageBefore) {
  const auto found = made({0xf3, 0x6e, 0xf4}, kPage - 1, kPage + 1, out);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->address, kPage - 1);
  EXPECT_EQ(found->length, 2U);
}

TEST_F(Code, OfAnExitIsNothingWhereNoneDoesIt) {
  EXPECT_FALSE(made({0x90, 0x90, 0xf4}, 0x100, 0x102, out));
  EXPECT_FALSE(made({0xee}, 0, 0x100, out));
}

}  // namespace
}  // namespace vmctl
