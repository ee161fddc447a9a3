// SPDX-License-Identifier: GPL-2.0
// A platform in which each number is another, and what tables are read with.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "firmware/platform.hpp"
#include "firmware/writer.hpp"

namespace vmctl::firmware::test {

inline Platform example(std::uint32_t cpus = 2) {
  return {.cpus = cpus,
          .cpu_signature = 0x800f12,
          .cpu_features = 0x178bfbff,
          .apics = Platform::Apics{.local = GuestAddr{0xfee00000}, .io = GuestAddr{0xfec00000}},
          .pm1_event = 0x610,
          .pm1_control = 0x624,
          .pm_timer = 0x638,
          .soft_off = 5,
          .sci = 9,
          .reset_port = 0xcf9,
          .reset_value = 0x06,
          .cmos_century = 0x32,
          .serial = {{.port = 0x3f8, .irq = 4}, {.port = 0x2f8, .irq = 3}},
          .pit = true,
          .pci = Platform::Pci{.io = 0x1000,
                               .memory = 0xc0000000,
                               .memory_size = 0x20000000,
                               .routes = {{.slot = 1, .pin = 0, .gsi = 17, .irq = 11},
                                          {.slot = 31, .pin = 3, .gsi = 18, .irq = 10}}}};
}

inline std::uint64_t number(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  EXPECT_LE(at + size, bytes.size());
  return little_endian(bytes.subspan(at, size));
}

inline std::string text(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
  EXPECT_LE(at + size, bytes.size());
  return {bytes.begin() + static_cast<std::ptrdiff_t>(at),
          bytes.begin() + static_cast<std::ptrdiff_t>(at + size)};
}

inline unsigned sum(std::span<const std::uint8_t> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U) & 0xff;
}

}  // namespace vmctl::firmware::test
