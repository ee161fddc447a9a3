// SPDX-License-Identifier: GPL-2.0-only
//
// Tests that take the driver away: it is back when they are over.
#pragma once

#include <unistd.h>

#include "driver.hpp"
#include "loadable.hpp"

namespace t {

// Skipped where the driver's file is not to be found.
class Reloading : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (!IsSkipped() && !vmctl().found()) {
      GTEST_SKIP() << "vmctl.ko is not to be found: set VMCTL_MODULE";
    }
  }
  void TearDown() override {
    if (device_is_vmctl() && ::access("/dev/vmctl", F_OK) != 0) {
      EXPECT_EQ(vmctl().insert(), 0) << "for the tests that come after";
    }
    Own::TearDown();
  }
};

}  // namespace t
