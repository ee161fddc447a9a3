// SPDX-License-Identifier: GPL-2.0
// An interrupt line from a device to whatever takes interrupts.
#pragma once

namespace vmctl {

class InterruptLine {
 public:
  InterruptLine() = default;
  InterruptLine(const InterruptLine&) = delete;
  InterruptLine& operator=(const InterruptLine&) = delete;
  virtual ~InterruptLine() = default;

  // The level from now on. May be called from any thread and with the device's lock held; must not
  // call back into the device.
  virtual void set(bool level) = 0;
};

}  // namespace vmctl
