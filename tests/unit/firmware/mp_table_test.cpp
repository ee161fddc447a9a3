// SPDX-License-Identifier: GPL-2.0
#include "firmware/mp_table.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "firmware/example.hpp"

namespace vmctl::firmware {
namespace {

using test::number;
using test::sum;
using test::text;

// By the sizes of their types.
std::vector<Bytes> entries(const Bytes& table) {
  std::vector<Bytes> all;
  for (std::size_t at = 44; at < table.size();) {
    const std::size_t size = table.at(at) == 0 ? 20 : 8;
    EXPECT_LE(at + size, table.size());
    all.emplace_back(table.begin() + static_cast<std::ptrdiff_t>(at),
                     table.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  }
  return all;
}

TEST(MpTableTest, Pointer) {
  const Bytes bytes = mp_pointer(GuestAddr{0xf0010});
  ASSERT_EQ(bytes.size(), 16U);
  EXPECT_EQ(text(bytes, 0, 4), "_MP_");
  EXPECT_EQ(number(bytes, 4, 4), 0xf0010U);
  EXPECT_EQ(number(bytes, 8, 2), 0x0401U);  // one paragraph, 1.4
  EXPECT_EQ(number(bytes, 11, 5), 0U);      // a table, no IMCR
  EXPECT_EQ(sum(bytes), 0U);
}

TEST(MpTableTest, Header) {
  const Bytes bytes = mp_table(test::example());
  EXPECT_EQ(text(bytes, 0, 4), "PCMP");
  EXPECT_EQ(number(bytes, 4, 2), bytes.size());
  EXPECT_EQ(number(bytes, 6, 1), 4U);
  EXPECT_EQ(sum(bytes), 0U);
  EXPECT_EQ(text(bytes, 8, 20), "VMCTL   VMCTLPC     ");
  EXPECT_EQ(number(bytes, 28, 6), 0U);
  EXPECT_EQ(number(bytes, 34, 2), entries(bytes).size());
  EXPECT_EQ(number(bytes, 36, 4), 0xfee00000U);
  EXPECT_EQ(number(bytes, 40, 4), 0U);
}

TEST(MpTableTest, Entries) {
  const std::vector<Bytes> found = entries(mp_table(test::example()));
  std::vector<Bytes> wanted{
      {0, 0, 0x14, 3, 0x12, 0x0f, 0x80, 0, 0xff, 0xfb, 0x8b, 0x17, 0, 0, 0, 0, 0, 0, 0, 0},
      {0, 1, 0x14, 1, 0x12, 0x0f, 0x80, 0, 0xff, 0xfb, 0x8b, 0x17, 0, 0, 0, 0, 0, 0, 0, 0},
      {1, 0, 'P', 'C', 'I', ' ', ' ', ' '},
      {1, 1, 'I', 'S', 'A', ' ', ' ', ' '},
      {2, 0, 0x11, 1, 0, 0, 0xc0, 0xfe},
      {3, 0, 0, 0, 1, 0, 0, 2},  // the timer on pin 2
      {3, 0, 0, 0, 1, 1, 0, 1}};
  for (std::uint8_t irq = 3; irq < 16; ++irq)
    wanted.push_back({3, 0, static_cast<std::uint8_t>(irq == 9 ? 0x0d : 0), 0, 1, irq, 0, irq});
  wanted.push_back({3, 0, 0, 0, 0, 1 << 2, 0, 17});
  wanted.push_back({3, 0, 0, 0, 0, 31 << 2 | 3, 0, 18});
  wanted.push_back({4, 3, 0, 0, 1, 0, 0, 0});     // the 8259As on the first one's LINT0
  wanted.push_back({4, 1, 0, 0, 1, 0, 0xff, 1});  // NMI on LINT1 of all
  EXPECT_EQ(found, wanted);
}

TEST(MpTableTest, WithoutPci) {
  Platform platform = test::example(1);
  platform.pci.reset();
  const std::vector<Bytes> found = entries(mp_table(platform));
  EXPECT_EQ(found.size(), 1U + 1 + 1 + 15 + 2);
  EXPECT_EQ(found.at(1), (Bytes{1, 1, 'I', 'S', 'A', ' ', ' ', ' '}));
}

TEST(MpTableTest, HoldsTheProcessorsThatEightBitsName) {
  const auto processors = [](std::uint32_t cpus) {
    std::size_t count = 0;
    for (const Bytes& entry : entries(mp_table(test::example(cpus)))) count += entry[0] == 0;
    return count;
  };
  EXPECT_EQ(processors(255), 255U);
  EXPECT_EQ(processors(256), 255U);
}

}  // namespace
}  // namespace vmctl::firmware
