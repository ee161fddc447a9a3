// SPDX-License-Identifier: GPL-2.0
#include "bus/bus.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace vmctl {
namespace {

// Remembers what was asked of it, and answers reads with 0x5a.
class Recorder final : public Device {
 public:
  struct Access {
    char kind;
    std::uint64_t offset;
    std::size_t size;
    bool operator==(const Access&) const = default;
  };
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override {
    std::fill(data.begin(), data.end(), std::uint8_t{0x5a});
    accesses.push_back({'r', offset, data.size()});
  }
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override {
    accesses.push_back({'w', offset, data.size()});
  }
  std::vector<Access> accesses;
};

class BusTest : public testing::Test {
 protected:
  bool read(std::uint64_t address, std::size_t size) {
    buffer.fill(0xcc);
    return bus.read(address, size, std::span(buffer).first(size));
  }
  bool all_ones(std::size_t size) const {
    return std::all_of(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size),
                       [](std::uint8_t byte) { return byte == 0xff; });
  }
  Bus bus;
  Recorder device;
  Recorder other;
  std::array<std::uint8_t, 8> buffer{};
};

TEST_F(BusTest, PassesOffsetsWithinTheRange) {
  ASSERT_TRUE(bus.claim(0x3f8, 8, "a", device));
  EXPECT_TRUE(read(0x3f8, 1));
  EXPECT_TRUE(read(0x3ff, 1));
  EXPECT_TRUE(read(0x3f8, 8));
  EXPECT_EQ(buffer[7], 0x5a);
  EXPECT_TRUE(bus.write(0x3fc, 4, std::array<std::uint8_t, 4>{}));
  const std::vector<Recorder::Access> expected{{'r', 0, 1}, {'r', 7, 1}, {'r', 0, 8}, {'w', 4, 4}};
  EXPECT_EQ(device.accesses, expected);
}

TEST_F(BusTest, UnclaimedReadsGiveOnesAndWritesAreLost) {
  ASSERT_TRUE(bus.claim(0x3f8, 8, "a", device));
  for (const std::uint64_t address : {0x0ULL, 0x3f7ULL, 0x400ULL, ~0ULL}) {
    EXPECT_FALSE(read(address, 1)) << address;
    EXPECT_TRUE(all_ones(1)) << address;
    EXPECT_FALSE(bus.write(address, 1, std::array<std::uint8_t, 1>{}));
  }
  EXPECT_TRUE(device.accesses.empty());
}

TEST_F(BusTest, WhatLeavesARangeIsSplitThere) {
  ASSERT_TRUE(bus.claim(0x10, 4, "a", device));
  ASSERT_TRUE(bus.claim(0x14, 4, "b", other));
  EXPECT_TRUE(read(0x0f, 2));
  EXPECT_EQ(buffer[0], 0xff);
  EXPECT_EQ(buffer[1], 0x5a);
  EXPECT_TRUE(read(0x12, 4));
  EXPECT_TRUE(bus.write(0x17, 2, std::array<std::uint8_t, 2>{}));
  const std::vector<Recorder::Access> of_device{{'r', 0, 1}, {'r', 2, 2}};
  const std::vector<Recorder::Access> of_other{{'r', 0, 2}, {'w', 3, 1}};
  EXPECT_EQ(device.accesses, of_device);
  EXPECT_EQ(other.accesses, of_other);
  EXPECT_FALSE(bus.read(0x10, 1, {}));
}

TEST_F(BusTest, RefusesOverlaps) {
  ASSERT_TRUE(bus.claim(0x100, 0x10, "first", device));
  EXPECT_FALSE(bus.claim(0x100, 0x10, "same", other));
  EXPECT_FALSE(bus.claim(0xff, 2, "over its start", other));
  EXPECT_FALSE(bus.claim(0x10f, 1, "at its end", other));
  EXPECT_FALSE(bus.claim(0x104, 2, "within", other));
  EXPECT_FALSE(bus.claim(0x80, 0x200, "around", other));
  EXPECT_NE(bus.claim(0x10f, 1, "x", other).error().why.find("first"), std::string::npos);
  EXPECT_TRUE(bus.claim(0xff, 1, "just before", other));
  EXPECT_TRUE(bus.claim(0x110, 1, "just after", other));
}

TEST_F(BusTest, RefusesEmptyAndWrappingRanges) {
  constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(bus.claim(0x10, 0, "empty", device));
  EXPECT_FALSE(bus.claim(0, 0, "empty", device));
  EXPECT_FALSE(bus.claim(kTop, 2, "wraps", device));
  ASSERT_TRUE(bus.claim(kTop, 1, "the last byte", device));
  EXPECT_TRUE(read(kTop, 1));
  EXPECT_TRUE(read(kTop, 2));
  EXPECT_EQ(buffer[0], 0x5a);
  EXPECT_EQ(buffer[1], 0xff);
}

}  // namespace
}  // namespace vmctl
