// SPDX-License-Identifier: GPL-2.0
// How a run ends: whoever has a reason says it here, the gravest one counts, and all stop.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "base/event.hpp"

namespace vmctl {

// In order of gravity.
enum class EndKind {
  halted,   // a vCPU, with nothing to wait for
  at_rest,  // all of them, where KVM keeps them
  power_off,
  reset,
  debug_exit,
  signal,
  timeout,
  output,
  refused,
  triple_fault,
  unhandled_exit,
  kvm_failure,
  internal,
};

struct End {
  EndKind kind = EndKind::halted;
  int status = 0;
  std::string reason = "halted";  // one line
  std::string details;            // a dump, several lines, or nothing
};

class Ending {
 public:
  // May be called from any thread. Everything but `halted` stops the machine.
  void end(End end);

  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  // Readable from the moment the machine is to stop: for those who wait in poll().
  int stop_fd() const { return stop_.fd(); }

  // Another run: as if nothing had been said. While no other thread uses it.
  void begin_anew();

  // The gravest end so far; halted if there is none.
  End gravest() const;

 private:
  mutable std::mutex lock_;
  std::optional<End> gravest_;  // guarded by lock_
  std::atomic<bool> stopping_ = false;
  Event stop_;
};

}  // namespace vmctl
