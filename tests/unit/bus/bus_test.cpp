// SPDX-License-Identifier: GPL-2.0
#include "bus/bus.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace vmctl {
namespace {

// Remembers what was asked of it, and answers reads with 0x5a.
class Recorder : public Device {
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
    written.insert(written.end(), data.begin(), data.end());
    accesses.push_back({'w', offset, data.size()});
  }
  std::vector<Access> accesses;
  std::vector<std::uint8_t> written;
};

// The same for whole strings, in capital letters.
class StringRecorder final : public Recorder {
 public:
  void read_string(std::uint64_t offset, std::size_t width, std::span<std::uint8_t> data) override {
    std::fill(data.begin(), data.end(), std::uint8_t{0xa5});
    accesses.push_back({'R', offset, data.size()});
    widths.push_back(width);
  }
  void write_string(std::uint64_t offset, std::size_t width,
                    std::span<const std::uint8_t> data) override {
    accesses.push_back({'W', offset, data.size()});
    widths.push_back(width);
  }
  std::vector<std::size_t> widths;
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
  using Accesses = std::vector<Recorder::Access>;
  using Bytes = std::vector<std::uint8_t>;
  // `size` bytes counted up from 1.
  static Bytes counted(std::size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
    return bytes;
  }
  Bus bus;
  Recorder device;
  Recorder other;
  StringRecorder strings;
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

TEST_F(BusTest, WhatIsTooWideForADeviceIsSplit) {
  ASSERT_TRUE(bus.claim(0x00, 0x10, "bytes", device, kBytes));
  ASSERT_TRUE(bus.claim(0x10, 0x10, "dwords", other, kUpToDwords));
  EXPECT_TRUE(bus.write(0x04, 4, counted(4)));
  EXPECT_EQ(device.accesses, (Accesses{{'w', 4, 1}, {'w', 5, 1}, {'w', 6, 1}, {'w', 7, 1}}));
  EXPECT_EQ(device.written, counted(4));
  EXPECT_TRUE(bus.write(0x10, 8, counted(8)));
  EXPECT_TRUE(bus.write(0x14, 4, counted(4)));
  EXPECT_TRUE(bus.write(0x18, 2, counted(2)));
  EXPECT_TRUE(bus.write(0x1a, 1, counted(1)));
  EXPECT_EQ(other.accesses,
            (Accesses{{'w', 0, 4}, {'w', 4, 4}, {'w', 4, 4}, {'w', 8, 2}, {'w', 10, 1}}));
}

TEST_F(BusTest, AGapInTheWidthsIsSplitToo) {
  ASSERT_TRUE(bus.claim(0x00, 0x10, "bytes and dwords", device, Widths{kBytes | kDwords}));
  EXPECT_TRUE(read(0x00, 2));
  EXPECT_TRUE(read(0x00, 4));
  EXPECT_TRUE(read(0x01, 8));
  EXPECT_EQ(device.accesses,
            (Accesses{{'r', 0, 1}, {'r', 1, 1}, {'r', 0, 4}, {'r', 1, 4}, {'r', 5, 4}}));
}

TEST_F(BusTest, OddWidthsAreSplitIntoWhatThereIs) {
  ASSERT_TRUE(bus.claim(0x00, 0x10, "all", device));
  for (const std::size_t width : {3U, 5U, 6U, 7U}) {
    EXPECT_TRUE(read(0x02, width));
    EXPECT_EQ(std::count(buffer.begin(), buffer.end(), 0x5a), static_cast<int>(width));
  }
  EXPECT_EQ(device.accesses, (Accesses{{'r', 2, 2},
                                       {'r', 4, 1},
                                       {'r', 2, 4},
                                       {'r', 6, 1},
                                       {'r', 2, 4},
                                       {'r', 6, 2},
                                       {'r', 2, 4},
                                       {'r', 6, 2},
                                       {'r', 8, 1}}));
  device.accesses.clear();
  EXPECT_TRUE(bus.write(0x00, 3, counted(6)));
  EXPECT_EQ(device.accesses, (Accesses{{'w', 0, 2}, {'w', 2, 1}, {'w', 0, 2}, {'w', 2, 1}}));
  EXPECT_EQ(device.written, counted(6));
}

TEST_F(BusTest, AWidthBeyondEightIsSplit) {
  ASSERT_TRUE(bus.claim(0x00, 0x20, "all", device));
  EXPECT_TRUE(bus.write(0x00, 16, counted(16)));
  EXPECT_EQ(device.accesses, (Accesses{{'w', 0, 8}, {'w', 8, 8}}));
}

TEST_F(BusTest, AStringIsOneCall) {
  ASSERT_TRUE(bus.claim(0x10, 8, "strings", strings));
  Bytes data(6, 0xcc);
  EXPECT_TRUE(bus.read(0x11, 1, data));
  EXPECT_EQ(data, Bytes(6, 0xa5));
  EXPECT_TRUE(bus.write(0x12, 2, data));
  EXPECT_TRUE(bus.write(0x12, 2, std::span(data).first(2)));  // one access is no string
  EXPECT_EQ(strings.accesses, (Accesses{{'R', 1, 6}, {'W', 2, 6}, {'w', 2, 2}}));
  EXPECT_EQ(strings.widths, (std::vector<std::size_t>{1, 2}));
}

TEST_F(BusTest, ADeviceWithoutStringsGetsOneAccessAfterTheOther) {
  ASSERT_TRUE(bus.claim(0x10, 8, "a", device));
  Bytes data(4, 0xcc);
  EXPECT_TRUE(bus.read(0x11, 2, data));
  EXPECT_EQ(data, Bytes(4, 0x5a));
  EXPECT_TRUE(bus.write(0x16, 1, counted(2)));
  EXPECT_EQ(device.accesses, (Accesses{{'r', 1, 2}, {'r', 1, 2}, {'w', 6, 1}, {'w', 6, 1}}));
  EXPECT_EQ(device.written, counted(2));
}

TEST_F(BusTest, AStringTooWideForItsDeviceIsSplitAccessByAccess) {
  ASSERT_TRUE(bus.claim(0x10, 8, "strings", strings, kBytes));
  EXPECT_TRUE(bus.write(0x10, 2, counted(4)));
  EXPECT_EQ(strings.accesses, (Accesses{{'w', 0, 1}, {'w', 1, 1}, {'w', 0, 1}, {'w', 1, 1}}));
  EXPECT_EQ(strings.written, counted(4));
}

TEST_F(BusTest, AStringMayStraddleTwoDevicesAndNobody) {
  ASSERT_TRUE(bus.claim(0x10, 2, "a", device));
  ASSERT_TRUE(bus.claim(0x12, 1, "b", strings));
  Bytes data(8, 0xcc);
  EXPECT_TRUE(bus.read(0x10, 4, data));
  EXPECT_EQ(data, (Bytes{0x5a, 0x5a, 0x5a, 0xff, 0x5a, 0x5a, 0x5a, 0xff}));
  EXPECT_TRUE(bus.write(0x11, 2, counted(4)));
  EXPECT_EQ(device.accesses, (Accesses{{'r', 0, 2}, {'r', 0, 2}, {'w', 1, 1}, {'w', 1, 1}}));
  EXPECT_EQ(strings.accesses, (Accesses{{'r', 0, 1}, {'r', 0, 1}, {'w', 0, 1}, {'w', 0, 1}}));
  EXPECT_EQ(device.written, (Bytes{1, 3}));
  EXPECT_EQ(strings.written, (Bytes{2, 4}));
}

TEST_F(BusTest, AnUnclaimedStringReadsAsOnes) {
  ASSERT_TRUE(bus.claim(0x10, 1, "a", device));
  Bytes data(6, 0xcc);
  EXPECT_FALSE(bus.read(0x20, 2, data));
  EXPECT_EQ(data, Bytes(6, 0xff));
  EXPECT_FALSE(bus.write(0x11, 1, data));
  EXPECT_TRUE(device.accesses.empty());
}

TEST_F(BusTest, NothingIsAskedForNothing) {
  ASSERT_TRUE(bus.claim(0x10, 4, "a", device));
  EXPECT_FALSE(bus.read(0x10, 1, {}));
  EXPECT_FALSE(bus.write(0x10, 1, {}));
  EXPECT_TRUE(device.accesses.empty());
}

TEST_F(BusTest, NamesWhoClaims) {
  ASSERT_TRUE(bus.claim(0x20, 2, "second", other));
  ASSERT_TRUE(bus.claim(0x10, 4, "first", device));
  EXPECT_EQ(bus.name_at(0x0f), "");
  EXPECT_EQ(bus.name_at(0x10), "first");
  EXPECT_EQ(bus.name_at(0x13), "first");
  EXPECT_EQ(bus.name_at(0x14), "");
  EXPECT_EQ(bus.name_at(0x21), "second");
  EXPECT_EQ(bus.name_at(0x22), "");
}

TEST_F(BusTest, RefusesWidthsWithoutBytes) {
  for (const Widths widths : {Widths{}, kWords, kDwords, kQwords, Widths{kWords | kDwords}}) {
    const auto claimed = bus.claim(0x10, 8, "a", device, widths);
    ASSERT_FALSE(claimed);
    EXPECT_NE(claimed.error().why.find("bytes"), std::string::npos);
    EXPECT_EQ(bus.name_at(0x10), "");
  }
  EXPECT_TRUE(bus.claim(0x10, 8, "a", device, kBytes));
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
