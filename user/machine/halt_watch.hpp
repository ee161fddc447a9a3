// SPDX-License-Identifier: GPL-2.0
// Notices that a guest has halted for good where HLT stays in KVM: every vCPU halted with its
// interrupts off, or never started.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "machine/vcpu_loop.hpp"

namespace vmctl {

// Looks once in a while, and only when no vCPU has made an exit meanwhile: each look is a kick for
// each vCPU. Twice in a row all must have lain still, for one that does might be woken by another
// between the looks at the two.
class HaltWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kInterval{1};

  HaltWatch(std::deque<VcpuLoop>& loops, Clock::time_point now) : loops_(loops), next_(now) {
    next_ += kInterval;
  }

  Clock::time_point next() const { return next_; }
  // From next() on. True: the guest has halted for good.
  bool tick(Clock::time_point now);

 private:
  std::uint64_t turns() const;
  bool all_still() const;

  std::deque<VcpuLoop>& loops_;
  Clock::time_point next_;
  std::uint64_t turns_ = 0;
  bool asked_ = false;
  unsigned found_ = 0;  // looks in a row at which all lay still
};

}  // namespace vmctl
