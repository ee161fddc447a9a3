// SPDX-License-Identifier: GPL-2.0
#include "firmware/writer.hpp"

#include <gtest/gtest.h>

namespace vmctl::firmware {
namespace {

TEST(WriterTest, NumbersAreLittleEndian) {
  EXPECT_EQ(Writer().u8(0x1ff).u16(0x12345).u32(0x1a2b3c4d5e).u64(0x0102030405060708).take(),
            (Bytes{0xff, 0x45, 0x23, 0x5e, 0x4d, 0x3c, 0x2b, 8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST(WriterTest, TextsHaveTheirSize) {
  EXPECT_EQ(Writer().text("AB", 4).text("ABCDE", 3).text("A", 2, '\0').take(),
            (Bytes{'A', 'B', ' ', ' ', 'A', 'B', 'C', 'A', 0}));
}

TEST(WriterTest, AlignsToABoundary) {
  Writer writer;
  EXPECT_EQ(writer.align(16).size(), 0U);
  EXPECT_EQ(writer.u8(1).align(16).size(), 16U);
  EXPECT_EQ(writer.align(16).size(), 16U);
  EXPECT_EQ(writer.bytes(Bytes{2, 3}).zeros(1).take().back(), 0U);
}

TEST(WriterTest, SealMakesTheSumZero) {
  Bytes bytes{1, 77, 0xff, 3};
  seal(bytes, 1);
  EXPECT_EQ(bytes, (Bytes{1, 0xfd, 0xff, 3}));
  seal(bytes, 1);
  EXPECT_EQ(bytes[1], 0xfd);
  Bytes zero{0x80, 0x80, 9};
  seal(zero, 2);
  EXPECT_EQ(zero[2], 0);
}

}  // namespace
}  // namespace vmctl::firmware
