// SPDX-License-Identifier: GPL-2.0-only
//
// kmod-tests: /dev/vmctl at the level of its ioctls. Runs as root, where
// nothing else uses KVM: that no VM is left is asked of the whole machine.
//
//   VMCTL_TEST_DEVICE  the device under test (/dev/vmctl); on /dev/kvm only
//                      the tests of what KVM itself promises run
//   VMCTL_MODULE       vmctl.ko, for the tests that load it
//   VMCTL_NUKE_MODULE  nuke.ko
#include <gtest/gtest.h>

#include <csignal>

#include "driver.hpp"
#include "kmsg.hpp"
#include "leaks.hpp"

namespace {

// The whole run must not make the kernel complain, nor lose memory, nor leave a
// descriptor in the table that kernel threads share. Nor must what came before.
class QuietKernel : public ::testing::Environment {
 public:
  void SetUp() override {
    kthreadd_ = t::entries_of("/proc/2/fd");
    for (const std::string& line : t::reports()) ADD_FAILURE() << "kernel, before: " << line;
  }
  void TearDown() override {
    if (t::finds_leaks()) {
      for (const std::string& report : t::leaks()) ADD_FAILURE() << report;
    }
    t::complaints_so_far();
    EXPECT_EQ(t::entries_of("/proc/2/fd"), kthreadd_) << "descriptors of kernel threads";
  }

 private:
  std::vector<std::string> kthreadd_;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  ::testing::AddGlobalTestEnvironment(new QuietKernel);  // NOLINT: GoogleTest owns it
  return RUN_ALL_TESTS();
}
