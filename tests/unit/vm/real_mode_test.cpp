// SPDX-License-Identifier: GPL-2.0
#include "vm/real_mode.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

struct Case {
  std::uint64_t entry;
  std::uint16_t selector;
  std::uint16_t ip;
};

class Entry : public testing::TestWithParam<Case> {};
TEST_P(Entry, IsReachedBySegmentAndOffset) {
  const auto [address, selector, ip] = GetParam();
  const auto entry = real_mode_entry({address});
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->selector, selector);
  EXPECT_EQ(entry->ip, ip);
  EXPECT_EQ(entry->base() + entry->ip, address);
}
INSTANTIATE_TEST_SUITE_P(RealMode, Entry,
                         testing::Values(Case{0, 0, 0}, Case{0x1000, 0, 0x1000},
                                         Case{0xffff, 0, 0xffff}, Case{0x10000, 0x1000, 0},
                                         Case{0x10001, 0x1000, 1}, Case{0x7c123, 0x7000, 0xc123},
                                         Case{0xfffff, 0xf000, 0xffff}));

TEST(RealMode, ReachesNoFurtherThanOneMegabyte) {
  for (const std::uint64_t entry : {0x100000ULL, 0x100001ULL, 0x100000000ULL, ~0ULL}) {
    const auto result = real_mode_entry({entry});
    ASSERT_FALSE(result) << entry;
    EXPECT_EQ(result.error().status, Status::usage);
  }
}

}  // namespace
}  // namespace vmctl
