// SPDX-License-Identifier: GPL-2.0
#include "load/boot_tables.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace vmctl {
namespace {

std::uint64_t word(const Block& block, std::size_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, block.bytes.data() + index * sizeof value, sizeof value);
  return value;
}

// Follows the tables as a processor does (Intel SDM 3A, 4.5.4), in 2 MiB pages.
std::uint64_t walk(const LoadPlan& plan, std::uint64_t linear) {
  const Block& tables = plan.blocks.back();
  const auto entry = [&](std::uint64_t table, std::uint64_t index) {
    EXPECT_GE(table, tables.gpa.value);
    const std::uint64_t value = word(tables, (table - tables.gpa.value) / 8 + index);
    EXPECT_EQ(value & 3, 3U);  // present, writable
    return value;
  };
  const std::uint64_t pml4 = entry(plan.entry.page_table.value, linear >> 39 & 511);
  const std::uint64_t pdpt = entry(pml4 & ~0xfffULL, linear >> 30 & 511);
  const std::uint64_t directory = entry(pdpt & ~0xfffULL, linear >> 21 & 511);
  EXPECT_EQ(directory & 0x80, 0x80U);
  return (directory & ~0x1fffffULL) + (linear & 0x1fffff);
}

TEST(BootTables, FourGigabytesAreMappedOneToOne) {
  const std::array<Room::Range, 1> memory{{{{0}, 1 << 20}}};
  Room room(memory);
  LoadPlan plan;
  ASSERT_TRUE(add_identity_map(plan, room));
  EXPECT_EQ(plan.entry.page_table.value % 0x1000, 0U);
  for (const std::uint64_t address : {0ULL, 0x1234ULL, 0x1fffffULL, 0x200000ULL, 0x3fffffffULL,
                                      0x40000000ULL, 0xfee00000ULL, 0xffffffffULL})
    EXPECT_EQ(walk(plan, address), address);
}

TEST(BootTables, TheMapGoesHigherWhereLowMemoryIsTaken) {
  const std::array<Room::Range, 2> memory{{{{0}, 0x9f000}, {{0x100000}, 0x100000}}};
  Room room(memory);
  ASSERT_TRUE(room.take("all", {0x1000}, 0x9e000));
  LoadPlan plan;
  ASSERT_TRUE(add_identity_map(plan, room));
  EXPECT_EQ(plan.entry.page_table, GuestAddr{0x100000});
  EXPECT_EQ(walk(plan, 0xdeadbeef), 0xdeadbeefU);
}

TEST(BootTables, SegmentsAreFlat) {
  const std::array<Room::Range, 1> memory{{{{0}, 1 << 20}}};
  for (const EntryMode mode : {EntryMode::protected32, EntryMode::long64}) {
    Room room(memory);
    LoadPlan plan;
    plan.entry.mode = mode;
    ASSERT_TRUE(add_gdt(plan, room));
    EXPECT_NE(plan.entry.gdt, GuestAddr{0});
    EXPECT_EQ(plan.entry.gdt_limit, plan.blocks.back().bytes.size() - 1);
    const std::uint64_t code = word(plan.blocks.back(), kCodeSelector / 8);
    const std::uint64_t data = word(plan.blocks.back(), kDataSelector / 8);
    EXPECT_EQ(code >> 40 & 0xff, 0x9bU);  // present, ring 0, execute and read, accessed
    EXPECT_EQ(code >> 52 & 0xf, mode == EntryMode::long64 ? 0xaU : 0xcU);  // G and L, or G and D
    EXPECT_EQ(data >> 40 & 0xff, 0x93U);
    EXPECT_EQ(data >> 52 & 0xf, 0xcU);
  }
}

TEST(BootTables, WithoutRoomThereIsNone) {
  Room room({});
  LoadPlan plan;
  EXPECT_FALSE(add_gdt(plan, room));
  EXPECT_FALSE(add_identity_map(plan, room));
  EXPECT_TRUE(plan.blocks.empty());
}

}  // namespace
}  // namespace vmctl
