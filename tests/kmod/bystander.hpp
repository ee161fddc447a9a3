// SPDX-License-Identifier: GPL-2.0-only
//
// Whoever has to do with the driver while a command on a VM waits, and must not wait with it.
#pragma once

#include <atomic>
#include <thread>

#include "image.hpp"

namespace t {

// Reads the table, asks the driver, the VM and for a vCPU in it, and revokes it; the table has
// these two VMs alone. In a thread, so that a driver that waits shows as a failure and not as a
// hang.
class Bystander {
 public:
  Bystander(const BareVm& waiting, const BareVm& other)
      : thread_([this, &waiting, &other] { act(waiting, other); }) {}
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  ~Bystander() { thread_.join(); }

  [[nodiscard]] bool is_done() const {
    return eventually([&] { return step_ == kSteps; });
  }
  // Those that are over.
  [[nodiscard]] int step() const { return step_; }

 private:
  static constexpr int kSteps = 5;

  void act(const BareVm& waiting, const BareVm& other) {
    EXPECT_EQ(table().size(), 2U);
    step_ = 1;
    vmctl_info info{};
    EXPECT_EQ(ctl(other.system, VMCTL_GET_INFO, &info), 0);
    step_ = 2;
    EXPECT_EQ(ctl(waiting.vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), 1);
    EXPECT_TRUE(Fd(ctl(waiting.vm, KVM_CREATE_VCPU, 0)).valid());
    step_ = 3;
    EXPECT_EQ(revoke(other.system, waiting.id), 0);
    step_ = 4;
    EXPECT_EQ(ctl(waiting.vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), -ENODEV);
    step_ = kSteps;
  }

  std::atomic<int> step_ = 0;
  std::thread thread_;
};

}  // namespace t
