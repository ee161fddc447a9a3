// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/config.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kVendor = 0x00;  // registers of the header (6.1)
constexpr std::size_t kDevice = 0x02;
constexpr std::size_t kCommand = 0x04;
constexpr std::size_t kStatus = 0x06;
constexpr std::size_t kRevision = 0x08;
constexpr std::size_t kClass = 0x09;
constexpr std::size_t kCacheLine = 0x0c;
constexpr std::size_t kLatency = 0x0d;
constexpr std::size_t kFirstBar = 0x10;
constexpr std::size_t kSubsystemVendor = 0x2c;
constexpr std::size_t kSubsystem = 0x2e;
constexpr std::size_t kCapabilities = 0x34;
constexpr std::size_t kInterruptLine = 0x3c;
constexpr std::size_t kInterruptPin = 0x3d;
constexpr std::size_t kHeaderEnd = 0x40;

constexpr std::uint16_t kMemorySpace = 1U << 1;  // of the command register (6.2.2)
constexpr std::uint16_t kBusMaster = 1U << 2;
constexpr std::uint16_t kParity = 1U << 6;
constexpr std::uint16_t kSerr = 1U << 8;
constexpr std::uint16_t kIntxDisable = 1U << 10;
constexpr std::uint16_t kCapabilityList = 1U << 4;  // of the status register

constexpr std::size_t bar_at(unsigned index) {
  return kFirstBar + std::size_t{4} * index;
}

}  // namespace

PciConfig::PciConfig(const PciIdentity& identity)
    : last_pointer_(kCapabilities), next_capability_(kHeaderEnd) {
  put(kVendor, identity.vendor, 2);
  put(kDevice, identity.device, 2);
  put(kRevision, identity.revision, 1);
  put(kClass, identity.class_code, 3);
  put(kSubsystemVendor, identity.subsystem_vendor, 2);
  put(kSubsystem, identity.subsystem, 2);
  allow(kCommand, kMemorySpace | kBusMaster | kParity | kSerr | kIntxDisable, 2);
  allow(kCacheLine, 0xff, 1);
  allow(kLatency, 0xff, 1);
}

void PciConfig::put(std::size_t offset, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    bytes_[offset + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

void PciConfig::allow(std::size_t offset, std::uint32_t mask, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    writable_[offset + i] = static_cast<std::uint8_t>(mask >> 8 * i);
}

void PciConfig::add_bar(unsigned index, std::uint32_t size) {
  bar_sizes_[index] = size;
  allow(bar_at(index), ~(size - 1), 4);
}

std::uint8_t PciConfig::add_capability(std::uint8_t id, std::span<const std::uint8_t> body,
                                       std::span<const std::uint8_t> writable) {
  const std::size_t at = next_capability_;
  bytes_[last_pointer_] = static_cast<std::uint8_t>(at);
  last_pointer_ = at + 1;
  bytes_[at] = id;
  std::copy(body.begin(), body.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at) + 2);
  std::copy(writable.begin(), writable.end(),
            writable_.begin() + static_cast<std::ptrdiff_t>(at) + 2);
  next_capability_ = (at + 2 + body.size() + 3) / 4 * 4;
  put(kStatus, kCapabilityList, 2);
  return static_cast<std::uint8_t>(at);
}

void PciConfig::set_interrupt(std::uint8_t line) {
  put(kInterruptPin, 1, 1);
  put(kInterruptLine, line, 1);
  allow(kInterruptLine, 0xff, 1);
}

void PciConfig::place_bar(unsigned index, std::uint32_t address) {
  put(bar_at(index), address, 4);
}

void PciConfig::enable_memory() {
  put(kCommand, kMemorySpace, 2);
}

void PciConfig::read(std::size_t offset, std::span<std::uint8_t> data) const {
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), data.size(), data.begin());
}

void PciConfig::write(std::size_t offset, std::span<const std::uint8_t> data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::uint8_t mask = writable_[offset + i];
    std::uint8_t& byte = bytes_[offset + i];
    byte = static_cast<std::uint8_t>((byte & ~mask) | (data[i] & mask));
  }
}

std::uint16_t PciConfig::word(std::size_t offset) const {
  return static_cast<std::uint16_t>(little_endian(std::span(bytes_).subspan(offset, 2)));
}

std::optional<std::uint32_t> PciConfig::bar_address(unsigned index) const {
  if (bar_sizes_[index] == 0 || (word(kCommand) & kMemorySpace) == 0) return std::nullopt;
  return static_cast<std::uint32_t>(little_endian(std::span(bytes_).subspan(bar_at(index), 4)));
}

bool PciConfig::intx_disabled() const {
  return (word(kCommand) & kIntxDisable) != 0;
}

}  // namespace vmctl
