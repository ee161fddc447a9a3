// SPDX-License-Identifier: GPL-2.0
#include "run/brake.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace vmctl {
namespace {

using namespace std::chrono_literals;

TEST(Brake, HoldsUntilItIsReleasedOrTheMachineStops) {
  Ending ending;
  Brake brake(ending);
  brake.wait();  // not pulled: at once
  for (const bool stop : {false, true}) {
    brake.pull();
    auto held = std::async(std::launch::async, [&] { brake.wait(); });
    EXPECT_EQ(held.wait_for(20ms), std::future_status::timeout);
    stop ? ending.end({.kind = EndKind::timeout}) : brake.release();
    EXPECT_EQ(held.wait_for(20s), std::future_status::ready);
  }
}

}  // namespace
}  // namespace vmctl
