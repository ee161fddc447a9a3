// SPDX-License-Identifier: GPL-2.0
// Addresses to devices, for ports and for memory-mapped I/O alike.
//
// Ranges never overlap. An access that lies in one range and has a width of its device's goes there
// as it is. Any other is split as a bus does it, lowest address first: where it leaves a range, and
// into the widths that the device has. What nobody claims reads as all ones; writes there are lost.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "bus/device.hpp"

namespace vmctl {

// Sizes of access that a device decodes; a set of bits, each its own value in bytes.
enum Widths : std::uint8_t {
  kBytes = 1,
  kWords = 2,
  kDwords = 4,
  kQwords = 8,
  kUpToDwords = kBytes | kWords | kDwords,
  kAllWidths = kUpToDwords | kQwords,
};

class Bus {
 public:
  // `device` must outlive the bus. Refuses an empty range, one that wraps, one that overlaps, and
  // `widths` without kBytes, as nothing could be split for it.
  // All claims come before the first access.
  Result<> claim(std::uint64_t base, std::uint64_t size, std::string name, Device& device,
                 Widths widths = kAllWidths);

  // data.size() / width accesses, one after the other, to the same address; width is 1, 2, 4 or 8
  // (others are split). True if a device took any of it. May be called from any thread.
  bool read(std::uint64_t address, std::size_t width, std::span<std::uint8_t> data) const;
  bool write(std::uint64_t address, std::size_t width, std::span<const std::uint8_t> data) const;

  // Who claims an address; empty if nobody does.
  std::string_view name_at(std::uint64_t address) const;

 private:
  struct Range {
    std::uint64_t base;
    std::uint64_t last;
    std::string name;
    Device* device;
    Widths widths;
  };
  const Range* find(std::uint64_t address) const;
  // One access in pieces, each for access(range, offset, bytes).
  template <class Byte, class Access>
  bool split(std::uint64_t address, std::span<Byte> data, Access access) const;

  std::vector<Range> ranges_;  // by base
};

}  // namespace vmctl
