// SPDX-License-Identifier: GPL-2.0
#include "machine/layout.hpp"

#include <gtest/gtest.h>

namespace vmctl::layout {
namespace {

// The check itself; that it holds for the machine is asserted at compile time.
static_assert(disjoint(std::array{Range{"a", 0, 4}, Range{"b", 4, 4}}));
static_assert(!disjoint(std::array{Range{"a", 0, 5}, Range{"b", 4, 4}}));
static_assert(!disjoint(std::array{Range{"a", 4, 4}, Range{"b", 0, 5}}));
static_assert(!disjoint(std::array{Range{"a", 0, 16}, Range{"b", 4, 1}}));
static_assert(!disjoint(std::array{Range{"a", 0, 0}}));
static_assert(!disjoint(std::array{Range{"a", ~0ULL, 2}}));

TEST(Layout, WhatTextsAndGuestsRelyOn) {
  EXPECT_EQ(kCom1.base, 0x3f8U);
  EXPECT_EQ(kDebugExit.base, 0xf4U);
  EXPECT_EQ(kMemoryDefault, 64U << 20);
}

TEST(Layout, WhatMemoryIsFor) {
  const auto map = memory_map(4 * kGiB);
  ASSERT_EQ(map.size(), 5U);
  EXPECT_EQ(map[0].base, GuestAddr{0});
  EXPECT_EQ(map[0].size, 0x9fc00U);
  EXPECT_EQ(map[1].type, MemoryType::reserved);
  EXPECT_EQ(map[2].base, kRsdp);
  EXPECT_EQ(map[2].type, MemoryType::reserved);
  EXPECT_EQ(map[3].base, GuestAddr{kMiB});
  EXPECT_EQ(map[3].size, 3 * kGiB - kMiB);
  EXPECT_EQ(map[4].base, GuestAddr{4 * kGiB});
  EXPECT_EQ(map[4].size, kGiB);
}

TEST(Layout, OnlyWhatIsThereIsForAnything) {
  for (std::uint64_t memory = kPageSize; memory <= 2 * kMiB; memory += kPageSize) {
    std::uint64_t last = 0;
    for (const MemoryMapEntry& entry : memory_map(memory)) {
      EXPECT_GE(entry.base.value, last);
      EXPECT_GT(entry.size, 0U);
      last = entry.base.value + entry.size;
    }
    EXPECT_LE(last, memory);
  }
}

}  // namespace
}  // namespace vmctl::layout
