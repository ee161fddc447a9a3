// SPDX-License-Identifier: GPL-2.0
#include "dev/debug_exit.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace vmctl {
namespace {

TEST(DebugExit, StatusIsTheValueUpTo63) {
  for (const std::uint32_t value : {0U, 1U, 62U, 63U}) {
    const auto [status, clamped] = debug_exit_status(DebugExitStyle::vmctl, value);
    EXPECT_EQ(status, static_cast<int>(value));
    EXPECT_FALSE(clamped);
  }
  for (const std::uint32_t value : {64U, 255U, 256U, 0xffffffffU}) {
    const auto [status, clamped] = debug_exit_status(DebugExitStyle::vmctl, value);
    EXPECT_EQ(status, 63);
    EXPECT_TRUE(clamped);
  }
}

TEST(DebugExit, QemuStyleIsOddAndEightBits) {
  EXPECT_EQ(debug_exit_status(DebugExitStyle::qemu, 0).status, 1);
  EXPECT_EQ(debug_exit_status(DebugExitStyle::qemu, 1).status, 3);
  EXPECT_EQ(debug_exit_status(DebugExitStyle::qemu, 127).status, 255);
  EXPECT_FALSE(debug_exit_status(DebugExitStyle::qemu, 127).clamped);
  EXPECT_EQ(debug_exit_status(DebugExitStyle::qemu, 128).status, 1);
  EXPECT_TRUE(debug_exit_status(DebugExitStyle::qemu, 128).clamped);
}

TEST(DebugExit, TakesAnyWidthAndReadsZero) {
  std::optional<std::uint32_t> seen;
  DebugExit device([&](std::uint32_t value) { seen = value; });
  device.write(0, std::array<std::uint8_t, 1>{7});
  EXPECT_EQ(seen, 7U);
  device.write(0, std::array<std::uint8_t, 2>{7, 1});
  EXPECT_EQ(seen, 0x107U);
  device.write(0, std::array<std::uint8_t, 4>{1, 2, 3, 4});
  EXPECT_EQ(seen, 0x04030201U);
  std::array<std::uint8_t, 4> read{9, 9, 9, 9};
  device.read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 4>{}));
}

}  // namespace
}  // namespace vmctl
