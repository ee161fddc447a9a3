// SPDX-License-Identifier: GPL-2.0
// A place that a guest writes to only to say that there is something to do: the write wakes the
// device's thread, and no vCPU waits for what is done then.
#pragma once

#include <optional>

#include "base/guest_addr.hpp"

namespace vmctl {

class Doorbell {
 public:
  Doorbell() = default;
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  virtual ~Doorbell() = default;

  // Where a guest's write of any width rings it without coming to the device; nothing: nowhere.
  // Where that cannot be had, the write comes to the device, which rings. One call at a time.
  virtual void place(std::optional<GuestAddr> address) = 0;
  // Whether anybody is woken; what rang before is heard then. One call at a time.
  virtual void listen(bool on) = 0;
  // From any thread, with any lock held.
  virtual void ring() = 0;
};

}  // namespace vmctl
