// SPDX-License-Identifier: GPL-2.0
// One-byte accesses to a device, as IN and OUT make them.
#pragma once

#include <array>
#include <cstdint>

#include "bus/device.hpp"

namespace vmctl::test {

inline std::uint8_t in(Device& device, std::uint64_t offset) {
  std::array<std::uint8_t, 1> byte{0xcc};
  device.read(offset, byte);
  return byte[0];
}

inline void out(Device& device, std::uint64_t offset, unsigned value) {
  device.write(offset, std::array<std::uint8_t, 1>{static_cast<std::uint8_t>(value)});
}

}  // namespace vmctl::test
