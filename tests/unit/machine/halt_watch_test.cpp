// SPDX-License-Identifier: GPL-2.0
#include "machine/halt_watch.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

using std::chrono::seconds;

// vCPUs that are told what to answer, and a clock that goes by what is due.
class HaltWatchTest : public testing::Test {
 protected:
  bool tick() {
    const auto now = watch_.next();
    const bool over = watch_.tick(now);
    waits_ = std::chrono::duration_cast<seconds>(watch_.next() - now);
    return over;
  }

  std::uint64_t turns_ = 0;
  int looks_ = 0;
  bool still_ = false;
  seconds waits_{0};
  HaltWatch watch_{{.turns = [this] { return turns_; },
                    .look = [this] { ++looks_; },
                    .lie_still = [this] { return still_; }},
                   HaltWatch::Clock::time_point{}};
};

TEST_F(HaltWatchTest, TwoAnswersInARowAreTheEnd) {
  still_ = true;  // an answer that nobody has asked for
  EXPECT_FALSE(tick());
  EXPECT_EQ(looks_, 1);
  EXPECT_FALSE(tick());
  EXPECT_EQ(waits_, HaltWatch::kInterval);
  EXPECT_TRUE(tick());
}

TEST_F(HaltWatchTest, OneIsNot) {
  tick();
  for (int i = 0; i < 4; ++i) {
    still_ = true;
    EXPECT_FALSE(tick());
    still_ = false;
    EXPECT_FALSE(tick());
  }
}

TEST_F(HaltWatchTest, WhoMakesExitsIsNotAsked) {
  still_ = true;
  for (int i = 0; i < 9; ++i) {
    ++turns_;
    EXPECT_FALSE(tick());
    EXPECT_EQ(waits_, HaltWatch::kInterval);
  }
  EXPECT_EQ(looks_, 0);
}

TEST_F(HaltWatchTest, AnExitBetweenTwoAnswersBeginsAnew) {
  still_ = true;
  tick();
  tick();
  ++turns_;
  EXPECT_FALSE(tick());
  EXPECT_FALSE(tick());  // asks
  EXPECT_FALSE(tick());
  EXPECT_TRUE(tick());
}

TEST_F(HaltWatchTest, WhoIdlesIsAskedLessAndLess) {
  tick();
  for (const int wait : {2, 4, 8, 16, 16}) {
    EXPECT_FALSE(tick());
    EXPECT_EQ(waits_, seconds(wait));
  }
  ++turns_;
  tick();
  EXPECT_EQ(waits_, HaltWatch::kInterval);
}

}  // namespace
}  // namespace vmctl
