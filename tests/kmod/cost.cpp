// SPDX-License-Identifier: GPL-2.0-only
//
// icount-tests: what the driver adds to KVM's commands, in instructions. Only
// where a tick of the TSC is one: scripts/testvm --icount -- icount-tests.
#include <gtest/gtest.h>

#include <iostream>

#include "measure.hpp"

namespace {

using bench::Line;

class Cost : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!bench::ticks_are_instructions()) {
      GTEST_SKIP() << "ticks are no instructions here: run under scripts/testvm --icount";
    }
  }
  static const Line& line(const std::string& name) {
    static const std::vector<Line> lines = bench::measure({});
    for (const Line& each : lines) {
      if (each.name == name) {
        std::cout << name << ": " << each.raw.median << " raw, " << each.vmctl.median
                  << " through vmctl\n";
        return each;
      }
    }
    throw std::out_of_range(name);
  }
};

TEST_F(Cost, OfAPortOutExit) {
  const Line& exit = line("port-out exit");
  EXPECT_LE(exit.vmctl.median, exit.raw.median + 66);
  EXPECT_LE(exit.ratio(), 1.02);
  EXPECT_LE(exit.vmctl.mode, exit.raw.mode + 66);
  EXPECT_GT(exit.vmctl.least, exit.raw.least) << "it cannot be for nothing: were the two mixed up?";
}

TEST_F(Cost, OfAShortCommand) {
  for (const char* name : {"KVM_GET_REGS", "KVM_GET_API_VERSION"}) {
    const Line& command = line(name);
    EXPECT_LE(command.vmctl.median, command.raw.median + 220) << name;
    EXPECT_GT(command.vmctl.least, command.raw.least) << name;
  }
}

// Two tables are changed for a new descriptor, and one is looked through.
TEST_F(Cost, OfNewDescriptors) {
  EXPECT_LE(line("KVM_CREATE_VM and close").ratio(), 1.1);
  EXPECT_LE(line("KVM_CREATE_VCPU").ratio(), 1.25);
}

// Five hundred at once cost little more than one.
TEST_F(Cost, OfManyVms) {
  const Line& first = line("KVM_CREATE_VM and close");
  const Line& last = line("the 500th VM at once");
  EXPECT_LE(last.ratio(), 1.1);
  EXPECT_LE(static_cast<double>(last.vmctl.median), 1.2 * static_cast<double>(first.vmctl.median));
}

TEST(CostOf, IsMedianModeAndLeast) {
  const bench::Cost cost = bench::cost_of({5, 1, 9, 9, 5, 7, 5});
  EXPECT_EQ(cost.median, 5U);
  EXPECT_EQ(cost.mode, 5U);
  EXPECT_EQ(cost.least, 1U);
  EXPECT_EQ(bench::cost_of({8, 8, 3, 3}).mode, 3U);
  EXPECT_EQ(bench::cost_of({}).median, 0U);
}

}  // namespace
