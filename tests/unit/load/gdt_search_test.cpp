// SPDX-License-Identifier: GPL-2.0
#include "load/gdt_search.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vmctl {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kAt = 0x100000;
constexpr std::size_t kTable = 0x40;

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// Code with a table of null, code and data, and what LGDT takes at an odd place.
Bytes code(std::uint16_t limit = 23, std::uint32_t base = kAt + kTable) {
  Bytes bytes(0x100, 0x90);
  put(bytes, kTable, 0, 8);
  put(bytes, kTable + 8, 0x00af9a000000ffff, 8);
  put(bytes, kTable + 16, 0x00cf92000000ffff, 8);
  put(bytes, 0x81, limit, 2);
  put(bytes, 0x83, base, 4);
  return bytes;
}

TEST(GdtSearch, ATableIsFoundByItsAddressAndItsLimit) {
  EXPECT_EQ(find_gdt(code(), kAt, kAt), kTable);
  EXPECT_EQ(find_gdt(code(24), kAt, kAt), kTable);
  EXPECT_EQ(find_gdt(code(15), kAt, kAt), kTable);
  EXPECT_EQ(find_gdt(code(0xffff), kAt, kAt), kTable);
  EXPECT_FALSE(find_gdt(code(22), kAt, kAt));
  EXPECT_FALSE(find_gdt(code(7), kAt, kAt));
  EXPECT_FALSE(find_gdt(code(0), kAt, kAt));
}

TEST(GdtSearch, EitherAddressCounts) {
  EXPECT_EQ(find_gdt(code(), 0x5000000, kAt), kTable);
  EXPECT_EQ(find_gdt(code(), 0xffffffff00000000 + kAt, 0), kTable);
  EXPECT_FALSE(find_gdt(code(), 0x5000000, 0x6000000));
}

TEST(GdtSearch, WhatIsNoTableIsNone) {
  EXPECT_FALSE(find_gdt(code(23, kAt + kTable + 1), kAt, kAt));
  EXPECT_FALSE(find_gdt(code(23, kAt - 1), kAt, kAt));
  EXPECT_FALSE(find_gdt(code(23, kAt + 0x100), kAt, kAt));
  Bytes absent = code();
  absent[kTable + 8 + 5] = 0x1a;
  absent[kTable + 16 + 5] = 0x82;  // of the system
  EXPECT_FALSE(find_gdt(absent, kAt, kAt));
  EXPECT_FALSE(find_gdt({}, kAt, kAt));
  EXPECT_FALSE(find_gdt(Bytes(5), kAt, kAt));
}

// A hostile image costs time by its length: each of these pointers on its own would cost a walk
// through a table of 64 KiB.
TEST(GdtSearch, ManyPointersToALongTableOfNothing) {
  Bytes bytes(4 << 20);
  const std::size_t table = bytes.size() - 0x10000;
  for (std::size_t at = 0; at < table; at += 8) {
    put(bytes, at, 0xffff, 2);
    put(bytes, at + 2, kAt + table, 4);
  }
  EXPECT_FALSE(find_gdt(bytes, kAt, kAt));
  bytes.back() = 0xff;
  EXPECT_FALSE(find_gdt(bytes, kAt, kAt));
  bytes[bytes.size() - 3] = 0x90;
  EXPECT_EQ(find_gdt(bytes, kAt, kAt), table);
}

// Nothing behind the end is looked at.
TEST(GdtSearch, ATableThatIsCutOff) {
  Bytes bytes(0x46, 0);
  put(bytes, 0, 0xffff, 2);
  put(bytes, 2, kAt + kTable, 4);
  for (std::size_t size = 0; size <= bytes.size(); ++size)
    EXPECT_FALSE(find_gdt(std::span(bytes).first(size), kAt, kAt)) << size;
}

}  // namespace
}  // namespace vmctl
