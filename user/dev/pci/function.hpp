// SPDX-License-Identifier: GPL-2.0
// A PCI function: its configuration space, and what is behind its BARs. All but the constructor is
// for the bus, which calls one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "bus/device.hpp"
#include "dev/pci/config.hpp"

namespace vmctl {

class PciFunction {
 public:
  explicit PciFunction(const PciIdentity& identity) : config_(identity) {}
  PciFunction(const PciFunction&) = delete;
  PciFunction& operator=(const PciFunction&) = delete;
  virtual ~PciFunction() = default;

  // Within PciConfig::kSize.
  virtual void read_config(std::size_t offset, std::span<std::uint8_t> data) {
    config_.read(offset, data);
  }
  virtual void write_config(std::size_t offset, std::span<const std::uint8_t> data) {
    config_.write(offset, data);
    config_changed();
  }

  PciConfig& config() { return config_; }
  // None where there is no such BAR. It is called with no lock of the bus's held.
  // cppcheck-suppress CastIntegerToAddressAtReturn ; they are pointers
  Device* bar(unsigned index) const { return bars_[index]; }

  // After each change of the configuration space, and once when BARs have been placed.
  virtual void config_changed() {}

 protected:
  // `device` must outlive it; `size` as in PciConfig.
  void add_bar(unsigned index, std::uint32_t size, Device& device) {
    config_.add_bar(index, size);
    bars_[index] = &device;
  }

 private:
  PciConfig config_;
  std::array<Device*, PciConfig::kBars> bars_{};
};

}  // namespace vmctl
