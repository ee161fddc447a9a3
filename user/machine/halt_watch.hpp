// SPDX-License-Identifier: GPL-2.0
// Notices that a guest has halted for good where HLT stays in KVM: every vCPU halted with its
// interrupts off, or never started.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace vmctl {

// Looks only when no vCPU has made an exit meanwhile, for each look is a kick for each vCPU, and
// less and less often at a guest that only idles. Twice in a row all must have lain still, for one
// that does might be woken by another between the looks at the two.
class HaltWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kInterval{1};
  static constexpr std::chrono::seconds kLongest{16};

  // All vCPUs together.
  struct Vcpus {
    std::function<std::uint64_t()> turns;  // how many exits they have made
    std::function<void()> look;            // asks each whether it lies still
    std::function<bool()> lie_still;       // what was the answer to that
  };

  HaltWatch(Vcpus vcpus, Clock::time_point now)
      : vcpus_(std::move(vcpus)), next_(now + kInterval) {}

  Clock::time_point next() const { return next_; }
  // From next() on. True: the guest has halted for good.
  bool tick(Clock::time_point now);

 private:
  Vcpus vcpus_;
  Clock::time_point next_;
  std::chrono::seconds interval_ = kInterval;
  std::uint64_t turns_ = 0;
  bool asked_ = false;
  unsigned found_ = 0;  // looks in a row at which all lay still
};

}  // namespace vmctl
