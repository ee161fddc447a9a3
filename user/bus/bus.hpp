// SPDX-License-Identifier: GPL-2.0
// Addresses to devices, for ports and for memory-mapped I/O alike.
//
// Ranges never overlap and an access belongs to a device only as a whole: a read that nobody
// claims, or that crosses a range's end, is all ones, as on an empty bus; such a write is lost.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "base/result.hpp"
#include "bus/device.hpp"

namespace vmctl {

class Bus {
 public:
  // `device` must outlive the bus. Refuses an empty range, one that wraps, and one that overlaps.
  Result<> claim(std::uint64_t base, std::uint64_t size, std::string name, Device& device);

  // True if a device took the access. After claim() is done these may be called from any thread.
  bool read(std::uint64_t address, std::span<std::uint8_t> data);
  bool write(std::uint64_t address, std::span<const std::uint8_t> data);

 private:
  struct Range {
    std::uint64_t last;
    std::string name;
    Device* device;
    std::mutex lock;  // one access at a time
  };
  // The range and its base that hold all of the access, or nullptr.
  Range* find(std::uint64_t address, std::size_t size, std::uint64_t& offset);

  std::map<std::uint64_t, Range> ranges_;  // by base
};

}  // namespace vmctl
