// SPDX-License-Identifier: GPL-2.0
#include "machine/layout.hpp"

#include <algorithm>

namespace vmctl::layout {

std::vector<MemoryMapEntry> memory_map(std::uint64_t memory) {
  std::vector<MemoryMapEntry> map;
  const auto add = [&](std::uint64_t base, std::uint64_t end, MemoryType type) {
    if (base < end) map.push_back({.base = GuestAddr{base}, .size = end - base, .type = type});
  };
  const std::uint64_t low_end = std::min(memory, kLowMemory.size);
  const auto within = [&](std::uint64_t address) { return std::min(address, low_end); };
  add(0, within(kEbda.base), MemoryType::usable);
  add(within(kEbda.base), within(kEbda.base + kEbda.size), MemoryType::reserved);
  add(within(kFirmware.base), within(kFirmware.base + kFirmware.size), MemoryType::reserved);
  add(within(kMiB), low_end, MemoryType::usable);
  add(kHighMemory.base, kHighMemory.base + (memory - low_end), MemoryType::usable);
  return map;
}

}  // namespace vmctl::layout
