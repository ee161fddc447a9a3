// SPDX-License-Identifier: GPL-2.0
#include "dev/acpi_pm.hpp"

namespace vmctl {
namespace {

// PM1_STS and PM1_EN have their bits at the same places (ACPI 6.5, tables 4.12 and 4.13).
constexpr std::uint16_t kTimer = 1U << 0;
constexpr std::uint16_t kGlobal = 1U << 5;
constexpr std::uint16_t kPowerButton = 1U << 8;
constexpr std::uint16_t kSleepButton = 1U << 9;
constexpr std::uint16_t kRtc = 1U << 10;
constexpr std::uint16_t kEnables = kTimer | kGlobal | kPowerButton | kSleepButton | kRtc;

// PM1_CNT (table 4.14). GBL_RLS and SLP_EN are for writing only, and read as zero.
constexpr std::uint16_t kSciEnable = 1U << 0;
constexpr std::uint16_t kBusMasterReload = 1U << 1;
constexpr unsigned kSleepTypeShift = 10;
constexpr std::uint16_t kSleepType = 7U << kSleepTypeShift;
constexpr std::uint16_t kSleepEnable = 1U << 13;
constexpr std::uint16_t kControlKept = kBusMasterReload | kSleepType;

constexpr std::uint64_t kEnableOffset = 2;

std::uint8_t byte_of(std::uint16_t word, std::uint64_t offset) {
  return static_cast<std::uint8_t>(word >> 8 * (offset & 1));
}

// A byte in its place, and its place.
std::uint16_t at(std::uint8_t value, std::uint64_t offset) {
  return static_cast<std::uint16_t>(value << 8 * (offset & 1));
}

void set_byte(std::uint16_t& word, std::uint64_t offset, std::uint8_t value, std::uint16_t kept) {
  const auto others = static_cast<std::uint16_t>(word & ~at(0xff, offset));
  word = static_cast<std::uint16_t>(others | (at(value, offset) & kept));
}

}  // namespace

void AcpiPm::Block::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::lock_guard guard(owner_.mutex_);
  for (std::uint8_t& byte : data) {
    byte = control_ ? owner_.read_control(offset) : owner_.read_event(offset);
    ++offset;
  }
}

void AcpiPm::Block::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  bool off = false;
  {
    const std::lock_guard guard(owner_.mutex_);
    for (const std::uint8_t byte : data) {
      if (control_)
        off |= owner_.write_control(offset, byte);
      else
        owner_.write_event(offset, byte);
      ++offset;
    }
  }
  if (off) owner_.power_off_();
}

void AcpiPm::press_power_button() {
  const std::lock_guard guard(mutex_);
  status_ |= kPowerButton;
  settle();
}

bool AcpiPm::power_button_enabled() const {
  const std::lock_guard guard(mutex_);
  return (enable_ & kPowerButton) != 0;
}

std::uint8_t AcpiPm::read_event(std::uint64_t offset) const {
  if (offset >= kEventSize) return 0xff;
  return byte_of(offset < kEnableOffset ? status_ : enable_, offset);
}

std::uint8_t AcpiPm::read_control(std::uint64_t offset) const {
  if (offset >= kControlSize) return 0xff;
  return byte_of(control_bits_ | kSciEnable, offset);
}

void AcpiPm::write_event(std::uint64_t offset, std::uint8_t value) {
  if (offset >= kEventSize) return;
  if (offset < kEnableOffset)
    status_ &= static_cast<std::uint16_t>(~at(value, offset));  // a one clears
  else
    set_byte(enable_, offset, value, kEnables);
  settle();
}

bool AcpiPm::write_control(std::uint64_t offset, std::uint8_t value) {
  if (offset >= kControlSize) return false;
  set_byte(control_bits_, offset, value, kControlKept);
  return (at(value, offset) & kSleepEnable) != 0 &&
         (control_bits_ & kSleepType) >> kSleepTypeShift == kSoftOff;
}

void AcpiPm::settle() {
  const bool level = (status_ & enable_) != 0;
  if (level == level_) return;
  level_ = level;
  sci_.set(level);
}

}  // namespace vmctl
