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
  EXPECT_EQ(kFlatAddress, GuestAddr{0x1000});
  EXPECT_EQ(kMemoryDefault, 64U << 20);
}

}  // namespace
}  // namespace vmctl::layout
