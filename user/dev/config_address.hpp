// SPDX-License-Identifier: GPL-2.0
// CONFIG_ADDRESS of PCI's configuration mechanism (PCI Local Bus 3.0, 3.2.2.3.2), ports 0xcf8 to
// 0xcfb, which takes words of four bytes alone; and what Intel's chipsets keep behind its second
// byte, which takes bytes alone. What it selects is for a PciBus to know, if there is one.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "bus/device.hpp"

namespace vmctl {

class ConfigAddress final : public Device {
 public:
  static constexpr std::uint64_t kSize = 4;

  // `second_byte` gets accesses of one byte at offset 0; it must outlive this.
  explicit ConfigAddress(Device& second_byte) : second_byte_(second_byte) {}

  // What was written last: enable, bus, device, function, register.
  std::uint32_t value() const { return address_; }

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  Device& second_byte_;
  std::atomic<std::uint32_t> address_ = 0;
};

}  // namespace vmctl
