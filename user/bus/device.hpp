// SPDX-License-Identifier: GPL-2.0
// A device as the bus sees it. It knows offsets into its own range and bytes, nothing of KVM, of
// addresses or of threads: the bus calls one device from one thread at a time.
#pragma once

#include <cstdint>
#include <span>

namespace vmctl {

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  // Fills all of `data`; offset + data.size() lies within the range.
  virtual void read(std::uint64_t offset, std::span<std::uint8_t> data) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::uint8_t> data) = 0;
};

}  // namespace vmctl
