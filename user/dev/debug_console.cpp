// SPDX-License-Identifier: GPL-2.0
#include "dev/debug_console.hpp"

#include <algorithm>

namespace vmctl {

void DebugConsole::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  std::fill(data.begin(), data.end(), kPresent);
}

void DebugConsole::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  if (!data.empty()) sink_.put(data);
}

void DebugConsole::write_string(std::uint64_t offset, std::size_t /*width*/,
                                std::span<const std::uint8_t> data) {
  write(offset, data);
}

}  // namespace vmctl
