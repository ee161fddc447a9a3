// SPDX-License-Identifier: GPL-2.0
// A device as the bus sees it. It knows offsets into its own range and bytes, nothing of KVM or of
// addresses.
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

  // One access. Fills all of `data`; its size is one of the widths that the range was claimed with,
  // and offset + data.size() lies within the range. May be called from several threads at once: a
  // device that has a state locks itself.
  virtual void read(std::uint64_t offset, std::span<std::uint8_t> data) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::uint8_t> data) = 0;

  // REP INS and REP OUTS: data.size() / width accesses to the same offset, in order.
  virtual void read_string(std::uint64_t offset, std::size_t width, std::span<std::uint8_t> data) {
    for (; !data.empty(); data = data.subspan(width)) read(offset, data.first(width));
  }
  virtual void write_string(std::uint64_t offset, std::size_t width,
                            std::span<const std::uint8_t> data) {
    for (; !data.empty(); data = data.subspan(width)) write(offset, data.first(width));
  }
};

}  // namespace vmctl
