// SPDX-License-Identifier: GPL-2.0
// A doorbell that wakes an event loop, by KVM where that can take the guest's writes away
// (KVM_IOEVENTFD).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/event.hpp"
#include "bus/doorbell.hpp"
#include "run/event_loop.hpp"
#include "vm/vm.hpp"

namespace vmctl {

class WakeDoorbell final : public Doorbell {
 public:
  // All must outlive it, the loop stopped. `rung` runs on the loop's thread.
  WakeDoorbell(const Vm& vm, EventLoop& loop, std::function<void()> rung)
      : vm_(vm), watch_(loop.watch([this, rung = std::move(rung)] {
          event_.clear();
          rung();
        })) {}

  void place(std::optional<GuestAddr> address) override {
    if (address == placed_) return;
    if (placed_) static_cast<void>(vm_.write_sets(event_, *placed_, false));
    placed_.reset();
    // Else the writes are exits: slower, but the same.
    if (address && vm_.write_sets(event_, *address, true)) placed_ = address;
  }
  void listen(bool on) override { watch_->set(on ? event_.fd() : -1); }
  void ring() override { event_.set(); }

 private:
  const Vm& vm_;
  Event event_;
  std::unique_ptr<EventLoop::Watch> watch_;
  std::optional<GuestAddr> placed_;
};

}  // namespace vmctl
