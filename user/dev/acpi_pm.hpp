// SPDX-License-Identifier: GPL-2.0
// ACPI's fixed hardware (ACPI 6.5, 4.8.3): the PM1 event and control registers, with the power
// button and the way to switch off. ACPI is always on here: SCI_EN reads as one, and there is no
// command port that would change it. Of the sleep states there is S5 alone.
//
// The status of timer, global lock, sleep button and RTC never rises; their enable bits are kept.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>

#include "bus/device.hpp"
#include "bus/line.hpp"

namespace vmctl {

class AcpiPm {
 public:
  static constexpr std::uint64_t kEventSize = 4;    // PM1_STS, PM1_EN
  static constexpr std::uint64_t kControlSize = 2;  // PM1_CNT
  // SLP_TYP of S5, which \_S5 in the DSDT tells.
  static constexpr std::uint8_t kSoftOff = 5;

  // `sci` is a level, active high. `power_off` is called with no lock held, from whatever thread
  // the guest writes in.
  AcpiPm(InterruptLine& sci, std::function<void()> power_off)
      : sci_(sci), power_off_(std::move(power_off)) {}

  // Any width at any offset: each byte of a register stands for itself.
  Device& events() { return events_; }
  Device& control() { return control_; }

  // The power button is pressed and let go. May be called from any thread.
  void press_power_button();
  // Whether the guest has asked to be told of that.
  bool power_button_enabled() const;

 private:
  class Block final : public Device {
   public:
    Block(AcpiPm& owner, bool control) : owner_(owner), control_(control) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    AcpiPm& owner_;
    bool control_;
  };

  // All with the lock held.
  std::uint8_t read_event(std::uint64_t offset) const;
  std::uint8_t read_control(std::uint64_t offset) const;
  void write_event(std::uint64_t offset, std::uint8_t value);
  // True if it switches the machine off.
  bool write_control(std::uint64_t offset, std::uint8_t value);
  void settle();

  InterruptLine& sci_;
  std::function<void()> power_off_;
  Block events_{*this, false};
  Block control_{*this, true};

  mutable std::mutex mutex_;  // guards all below
  std::uint16_t status_ = 0;
  std::uint16_t enable_ = 0;
  std::uint16_t control_bits_ = 0;
  bool level_ = false;  // of the SCI
};

}  // namespace vmctl
