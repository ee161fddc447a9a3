// SPDX-License-Identifier: GPL-2.0
// What may be asked of a machine that runs, from beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/guest_addr.hpp"
#include "base/result.hpp"

namespace vmctl {

// Texts are of several lines, each ended. All may be called from any thread but a vCPU's, one call
// at a time; those that need the vCPUs out of the guest bring them out, and let them go on
// afterwards if they ran before.
class MachineControl {
 public:
  MachineControl() = default;
  MachineControl(const MachineControl&) = delete;
  MachineControl& operator=(const MachineControl&) = delete;
  virtual ~MachineControl() = default;

  // What it is, and what each vCPU does and has done.
  virtual std::string info() = 0;
  // Each vCPU's registers, and the code it is at.
  virtual std::string registers() = 0;
  // Guest memory, as hexadecimal and text. usage: not all of it is memory, or too much.
  virtual Result<std::string> dump(GuestAddr at, std::uint64_t length) = 0;

  // Keeps the vCPUs from the guest until resume(); devices and clocks go on. False: it was so.
  virtual bool pause() = 0;
  virtual bool resume() = 0;

  // A non-maskable interrupt, for the first vCPU if none is said.
  virtual Result<> nmi(std::uint32_t vcpu) = 0;
  // Presses the power button. usage: the machine has none.
  virtual Result<> power_down() = 0;
  // Ends the machine on behalf of `who`, as SIGINT does.
  virtual void quit(const std::string& who) = 0;
};

}  // namespace vmctl
