// SPDX-License-Identifier: GPL-2.0
// The power management timer (ACPI 6.5, 4.8.3.3): 24 bits that count 3.579545 MHz and wrap. Its
// overflow interrupt is not there: nothing here gives the guest the registers to enable it.
#pragma once

#include <cstdint>
#include <span>

#include "bus/clock.hpp"
#include "bus/device.hpp"

namespace vmctl {

class PmTimer final : public Device {
 public:
  static constexpr std::uint64_t kSize = 4;
  static constexpr std::uint64_t kHz = 3'579'545;
  static constexpr std::uint64_t kMask = 0xffffff;

  explicit PmTimer(const Clock& clock) : clock_(clock) {}

  // Any width at any offset; one access is one look at the clock. The top byte is zero.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  // For reading only.
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  const Clock& clock_;
};

}  // namespace vmctl
