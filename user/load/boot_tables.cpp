// SPDX-License-Identifier: GPL-2.0
#include "load/boot_tables.hpp"

#include <array>
#include <cstring>
#include <vector>

namespace vmctl {
namespace {

constexpr std::uint64_t kPage = 0x1000;
constexpr GuestAddr kMiB{0x100000};
constexpr GuestAddr k4GiB{0x100000000};

// base 0, limit 4 GiB; code: execute and read, accessed; data: read and write, accessed.
constexpr std::uint64_t kFlatCode32 = 0x00cf9b000000ffff;
constexpr std::uint64_t kFlatCode64 = 0x00af9b000000ffff;
constexpr std::uint64_t kFlatData = 0x00cf93000000ffff;

constexpr std::uint64_t kPresentWritable = 0x3;
constexpr std::uint64_t kLarge = 0x80;

std::vector<std::uint8_t> bytes_of(std::span<const std::uint64_t> words) {
  std::vector<std::uint8_t> bytes(words.size_bytes());
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

}  // namespace

Result<> add_gdt(LoadPlan& plan, Room& room) {
  const std::array<std::uint64_t, 4> table{
      0, 0, plan.entry.mode == EntryMode::long64 ? kFlatCode64 : kFlatCode32, kFlatData};
  // Not at 0, where a guest has its null pointers and the BIOS its vectors.
  plan.entry.gdt = TRY(room.place("the GDT", sizeof table, 16, GuestAddr{kPage}, kMiB));
  plan.entry.gdt_limit = sizeof table - 1;
  plan.blocks.push_back({.name = "GDT", .gpa = plan.entry.gdt, .bytes = bytes_of(table)});
  return {};
}

Result<> add_identity_map(LoadPlan& plan, Room& room) {
  constexpr std::size_t kEntries = kPage / sizeof(std::uint64_t);
  constexpr std::size_t kDirectories = 4;
  constexpr std::uint64_t kSize = (2 + kDirectories) * kPage;
  auto place = room.place("the page table", kSize, kPage, GuestAddr{kPage}, kMiB);
  const GuestAddr base =
      place ? *place : TRY(room.place("the page table", kSize, kPage, kMiB, k4GiB));
  std::vector<std::uint64_t> tables((2 + kDirectories) * kEntries);
  tables[0] = (base.value + kPage) | kPresentWritable;
  for (std::size_t i = 0; i < kDirectories; ++i)
    tables[kEntries + i] = (base.value + (2 + i) * kPage) | kPresentWritable;
  for (std::size_t i = 0; i < kDirectories * kEntries; ++i)
    tables[2 * kEntries + i] = i << 21 | kPresentWritable | kLarge;
  plan.entry.page_table = base;
  plan.blocks.push_back({.name = "page table", .gpa = base, .bytes = bytes_of(tables)});
  return {};
}

}  // namespace vmctl
