// SPDX-License-Identifier: GPL-2.0-only
//
// kmod-tests: /dev/vmctl at the level of its ioctls. Runs as root, where
// nothing else uses KVM: that no VM is left is asked of the whole machine.
//
//   VMCTL_TEST_DEVICE  the device under test (/dev/vmctl); on /dev/kvm only
//                      the tests of what KVM itself promises run
//   VMCTL_MODULE       vmctl.ko, for the tests that load it
#include <gtest/gtest.h>
#include <signal.h>

#include "driver.hpp"
#include "kmsg.hpp"

namespace {

// The whole run must not make the kernel complain, nor leave a descriptor in
// the table that kernel threads share.
class QuietKernel : public ::testing::Environment {
 public:
  void SetUp() override {
    kthreadd_ = t::entries_of("/proc/2/fd");
    log_.fresh();
  }
  void TearDown() override {
    for (const t::KernelLine& line : log_.fresh()) {
      EXPECT_FALSE(t::is_complaint(line)) << "kernel: <" << line.level << "> " << line.text;
    }
    EXPECT_EQ(t::entries_of("/proc/2/fd"), kthreadd_) << "descriptors of kernel threads";
  }

 private:
  t::KernelLog log_;
  std::vector<std::string> kthreadd_;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  ::testing::AddGlobalTestEnvironment(new QuietKernel);  // NOLINT: GoogleTest owns it
  return RUN_ALL_TESTS();
}
