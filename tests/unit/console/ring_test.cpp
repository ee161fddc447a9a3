// SPDX-License-Identifier: GPL-2.0
#include "console/ring.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace vmctl {
namespace {

void write(Ring& ring, std::string_view text) {
  ring.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::string text(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string read_all(RingReader& reader, const Ring& ring, std::size_t at_once = 1000) {
  std::string all;
  while (true) {
    auto next = reader.next(ring);
    next = next.first(std::min(at_once, next.size()));
    if (next.empty()) return all;
    all += text(next);
    reader.took(next.size());
  }
}

TEST(Ring, KeepsTheLast) {
  Ring ring(4);
  EXPECT_EQ(ring.begin(), 0U);
  write(ring, "abc");
  EXPECT_EQ(text(ring.at(0)), "abc");
  EXPECT_EQ(text(ring.at(2)), "c");
  EXPECT_TRUE(ring.at(3).empty());
  write(ring, "de");
  EXPECT_EQ(ring.begin(), 1U);
  EXPECT_EQ(ring.end(), 5U);
  EXPECT_EQ(text(ring.at(1)) + text(ring.at(4)), "bcde");
  write(ring, "0123456789");
  EXPECT_EQ(ring.begin(), 11U);
  RingReader reader(11);
  EXPECT_EQ(read_all(reader, ring), "6789");
}

// Against a string that keeps all, for each length of pieces.
TEST(Ring, IsTheEndOfTheStream) {
  for (std::size_t piece = 1; piece < 20; ++piece) {
    Ring ring(7);
    std::string all;
    for (int i = 0; i < 20; ++i) {
      const std::string part(piece, static_cast<char>('a' + i));
      write(ring, part);
      all += part;
      RingReader reader(ring.begin());
      ASSERT_EQ(read_all(reader, ring, 3),
                all.substr(all.size() - std::min<std::size_t>(7, all.size())));
    }
  }
}

TEST(RingReader, SaysWhatItLost) {
  Ring ring(4);
  RingReader reader;
  write(ring, "abcdef");
  EXPECT_EQ(reader.behind(ring), 6U);
  EXPECT_EQ(read_all(reader, ring), "\r\n[2 bytes lost]\r\ncdef");
  EXPECT_EQ(reader.lost(), 2U);
  write(ring, "g");
  EXPECT_EQ(read_all(reader, ring), "g");
}

TEST(RingReader, WhatIsLostWhileItIsToldIsToldNext) {
  Ring ring(4);
  RingReader reader;
  write(ring, "abcdef");
  const std::string begin = text(reader.next(ring).first(4));
  reader.took(4);
  write(ring, "ghi");
  EXPECT_EQ(begin + read_all(reader, ring), "\r\n[2 bytes lost]\r\n\r\n[3 bytes lost]\r\nfghi");
  EXPECT_EQ(reader.lost(), 5U);
}

}  // namespace
}  // namespace vmctl
