// SPDX-License-Identifier: GPL-2.0
#include "run/ending.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace vmctl {
namespace {

bool stop_is_signalled(const Ending& ending) {
  pollfd fd{.fd = ending.stop_fd(), .events = POLLIN, .revents = 0};
  return ::poll(&fd, 1, 0) == 1;
}

TEST(Ending, HaltedByDefaultAndDoesNotStop) {
  Ending ending;
  EXPECT_EQ(ending.gravest().kind, EndKind::halted);
  EXPECT_EQ(ending.gravest().status, 0);
  ending.end({});
  EXPECT_FALSE(ending.stopping());
  EXPECT_FALSE(stop_is_signalled(ending));
}

TEST(Ending, TheGravestCountsWheneverItComes) {
  Ending ending;
  ending.end({.kind = EndKind::timeout, .status = 124});
  EXPECT_TRUE(ending.stopping());
  EXPECT_TRUE(stop_is_signalled(ending));
  ending.end({.kind = EndKind::triple_fault, .status = 80});
  ending.end({.kind = EndKind::debug_exit, .status = 3});
  EXPECT_EQ(ending.gravest().status, 80);
}

TEST(Ending, TheFirstOfItsKindCounts) {
  Ending ending;
  ending.end({.kind = EndKind::debug_exit, .status = 1});
  ending.end({.kind = EndKind::debug_exit, .status = 2});
  EXPECT_EQ(ending.gravest().status, 1);
}

TEST(Ending, BeginsAnew) {
  Ending ending;
  ending.end({.kind = EndKind::reset, .status = 0});
  ending.begin_anew();
  EXPECT_FALSE(ending.stopping());
  EXPECT_FALSE(stop_is_signalled(ending));
  EXPECT_EQ(ending.gravest().kind, EndKind::halted);
  ending.end({.kind = EndKind::power_off, .status = 0});
  EXPECT_TRUE(ending.stopping());
  EXPECT_TRUE(stop_is_signalled(ending));
  EXPECT_EQ(ending.gravest().kind, EndKind::power_off);
}

}  // namespace
}  // namespace vmctl
