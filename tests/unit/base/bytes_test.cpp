// SPDX-License-Identifier: GPL-2.0
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace vmctl {
namespace {

TEST(Bytes, Hex) {
  constexpr std::array<std::uint8_t, 3> kBytes{0x00, 0x0f, 0xa2};
  EXPECT_EQ(hex(kBytes), "000fa2");
  EXPECT_EQ(hex(kBytes, " "), "00 0f a2");
  EXPECT_EQ(hex({}), "");
}

TEST(Bytes, LittleEndianTakesWhatThereIs) {
  constexpr std::array<std::uint8_t, 9> kBytes{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::span<const std::uint8_t> bytes(kBytes);
  EXPECT_EQ(little_endian(bytes.first(0)), 0U);
  EXPECT_EQ(little_endian(bytes.first(1)), 1U);
  EXPECT_EQ(little_endian(bytes.first(2)), 0x0201U);
  EXPECT_EQ(little_endian(bytes.first(4)), 0x04030201U);
  EXPECT_EQ(little_endian(bytes), 0x0807060504030201U);
}

TEST(Bytes, Printable) {
  constexpr std::array<std::uint8_t, 4> kEdges{0x20, 0x7e, 0x1f, 0x7f};
  const std::span<const std::uint8_t> edges(kEdges);
  EXPECT_TRUE(printable(edges.first(2)));
  EXPECT_FALSE(printable(edges.subspan(2, 1)));
  EXPECT_FALSE(printable(edges.subspan(3, 1)));
  EXPECT_FALSE(printable(edges.first(0)));
}

TEST(Bytes, EscapedIsSafeOnATerminal) {
  EXPECT_EQ(escaped("plain name"), "plain name");
  EXPECT_EQ(escaped("\033[2J"), "\\033[2J");
  EXPECT_EQ(escaped("a\nb\\c"), "a\\012b\\134c");
  EXPECT_EQ(escaped("\xff\x7f"), "\\377\\177");
}

}  // namespace
}  // namespace vmctl
