// SPDX-License-Identifier: GPL-2.0
#include "machine/shared_line.hpp"

#include <gtest/gtest.h>

#include "dev/fake_line.hpp"

namespace vmctl {
namespace {

TEST(SharedLine, IsHighWhileAnyPulls) {
  test::FakeLine line;
  SharedLine shared(line);
  const auto one = shared.end();
  const auto two = shared.end();
  one->set(false);
  EXPECT_FALSE(line.high);
  one->set(true);
  EXPECT_TRUE(line.high);
  two->set(true);
  one->set(true);
  one->set(false);
  EXPECT_TRUE(line.high);
  one->set(false);
  EXPECT_TRUE(line.high);
  two->set(false);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(line.rises, 1);
}

}  // namespace
}  // namespace vmctl
