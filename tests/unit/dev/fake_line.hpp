// SPDX-License-Identifier: GPL-2.0
// An interrupt line that remembers; that it is told changes alone is every device's contract.
#pragma once

#include <gtest/gtest.h>

#include "bus/line.hpp"

namespace vmctl::test {

class FakeLine final : public InterruptLine {
 public:
  void set(bool level) override {
    EXPECT_NE(level, high) << "the line was told what it knew";
    high = level;
    if (level) ++rises;
  }
  bool high = false;
  int rises = 0;
};

}  // namespace vmctl::test
