// SPDX-License-Identifier: GPL-2.0
#include "load/multiboot2.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <map>

#include "images.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint32_t kMagic = 0xe85250d6;
constexpr std::uint64_t kAt = 0x400000;
constexpr std::uint32_t kOptional = 1U << 16;

// Type and flags, size, body, up to a multiple of eight.
Bytes tag(std::uint32_t type_and_flags, const Bytes& body = {}) {
  Bytes bytes = joined(words(type_and_flags, 8 + body.size()), body);
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes;
}

Bytes header(const Bytes& tags = {}, std::uint32_t architecture = 0) {
  const Bytes all = joined(tags, tag(0));
  const auto length = static_cast<std::uint32_t>(16 + all.size());
  return joined(words(kMagic, architecture, length, 0U - kMagic - architecture - length), all);
}

Bytes elf_kernel(const Bytes& tags = {}, std::uint32_t architecture = 0) {
  Bytes text = header(tags, architecture);
  text.resize(0x200, 0x90);
  return elf32(kAt + 0x100, {{.paddr = kAt, .memsz = 0x200, .bytes = text},
                             {.flags = PF_R | PF_W, .paddr = kAt + 0x1000, .memsz = 0x800}});
}
constexpr std::size_t kHeaderAt = 0x80;  // in that file

Bytes address_kernel(const Bytes& tags) {
  Bytes image = header(tags);
  image.resize(0x200, 0x90);
  return image;
}

// The tags of the boot information by type; of several the last.
std::map<std::uint32_t, Bytes> information(const LoadPlan& plan) {
  std::map<std::uint32_t, Bytes> tags;
  const Bytes all = memory_at(plan, plan.entry.rbx);
  const auto total = get_at<std::uint32_t>(all, 0);
  EXPECT_EQ(total, all.size());
  for (std::size_t at = 8; at + 8 <= all.size();) {
    const auto type = get_at<std::uint32_t>(all, at);
    const auto size = get_at<std::uint32_t>(all, at + 4);
    EXPECT_GE(size, 8U);
    EXPECT_LE(at + size, all.size());
    if (size < 8 || at + size > all.size()) break;
    tags[type] =
        Bytes(all.begin() + static_cast<long>(at + 8), all.begin() + static_cast<long>(at + size));
    at += (size + 7) / 8 * 8;
    EXPECT_TRUE(type != 0 || at == all.size());
  }
  EXPECT_TRUE(tags.contains(0));
  return tags;
}

std::string text_of(const Bytes& bytes, std::size_t at = 0) {
  return reinterpret_cast<const char*>(bytes.data() + at);
}

TEST(Multiboot2, StartsAsTheSpecificationSays) {
  const auto plan = sound(plan_multiboot2, pc(), elf_kernel());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->format, Format::multiboot2);
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  EXPECT_EQ(plan->entry.rax, 0x36d76289U);
  EXPECT_EQ(plan->entry.rbx % 8, 0U);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x100});
}

TEST(Multiboot2, TellsWhatThereIs) {
  BootRequest request = pc();
  request.command_line = "one two";
  const Bytes bytes(0x123, 7);
  const MemorySource file(bytes, "dir/mod");
  request.files = {{.source = &file, .arguments = ""}};
  const auto plan = sound(plan_multiboot2, request, elf_kernel());
  ASSERT_TRUE(plan);
  auto tags = information(*plan);
  EXPECT_EQ(text_of(tags[1]), "one two");
  EXPECT_EQ(text_of(tags[2]), "vmctl");
  ASSERT_EQ(tags[4].size(), 8U);
  EXPECT_EQ(get_at<std::uint32_t>(tags[4], 0), 639U);
  EXPECT_EQ(get_at<std::uint32_t>(tags[4], 4), 63U * 1024);
  ASSERT_EQ(tags[6].size(), 8U + 4 * 24);
  EXPECT_EQ(get_at<std::uint32_t>(tags[6], 0), 24U);
  EXPECT_EQ(get_at<std::uint64_t>(tags[6], 8 + 8), 0x9fc00U);
  EXPECT_EQ(get_at<std::uint32_t>(tags[6], 8 + 16), 1U);
  EXPECT_EQ(get_at<std::uint32_t>(tags[6], 8 + 24 + 16), 2U);
  EXPECT_EQ(get_at<std::uint64_t>(tags[6], 8 + 72), 0x100000U);
  EXPECT_EQ(get_at<std::uint32_t>(tags[3], 0), kAt + 0x2000);
  EXPECT_EQ(get_at<std::uint32_t>(tags[3], 4), kAt + 0x2123);
  EXPECT_EQ(text_of(tags[3], 8), "mod");
  EXPECT_FALSE(tags.contains(21));
}

TEST(Multiboot2, TheRootPointerOfAcpiIsCopied) {
  BootRequest request = pc();
  for (std::uint8_t i = 0; i < 36; ++i) request.rsdp_bytes.push_back(i);
  const auto plan = sound(plan_multiboot2, request, elf_kernel());
  ASSERT_TRUE(plan);
  auto tags = information(*plan);
  EXPECT_EQ(tags[15], request.rsdp_bytes);
  EXPECT_EQ(tags[14], Bytes(request.rsdp_bytes.begin(), request.rsdp_bytes.begin() + 20));
  for (const std::size_t too_few : {0, 19}) {
    request.rsdp_bytes.resize(too_few);
    const auto without = sound(plan_multiboot2, request, elf_kernel());
    ASSERT_TRUE(without);
    EXPECT_FALSE(information(*without).contains(14));
    EXPECT_FALSE(information(*without).contains(15));
  }
}

TEST(Multiboot2, AnEntryTagComesBeforeTheElfEntry) {
  const auto plan = sound(plan_multiboot2, pc(), elf_kernel(tag(3, words(kAt + 0x180))));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x180});
  expect_refused(plan_multiboot2, pc(), elf_kernel(tag(3, words(kAt + 0x200))),
                 {"entry_addr at offset 0x98: 0x400200, in nothing that is loaded"});
}

TEST(Multiboot2, AddressTagsSayWhereAFileGoes) {
  const auto kernel = [](std::uint32_t load, std::uint32_t load_end, std::uint32_t bss_end) {
    return address_kernel(
        joined(tag(2, words(kAt, load, load_end, bss_end)), tag(3, words(kAt + 0x100))));
  };
  const auto plan = sound(plan_multiboot2, pc(), kernel(kAt, kAt + 0x180, kAt + 0x3000));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->segments.size(), 1U);
  EXPECT_EQ(plan->segments[0].length, 0x180U);
  EXPECT_EQ(plan->segments[0].memory_length, 0x3000U);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x100});
  expect_refused(plan_multiboot2, pc(), kernel(kAt - 1, 0, 0), {"load_addr at offset 0x1c"});
  expect_refused(plan_multiboot2, pc(), kernel(kAt, 0, kAt + 1), {"bss_end_addr at offset 0x24"});
  expect_refused(plan_multiboot2, pc(), kernel(kAt, kAt + 0x300, 0), {"the file ends at 0x200"});
  expect_refused(plan_multiboot2, pc(), kernel(kAt, 0, (64U << 20) + 1),
                 {"multiboot2 address tag at offset 0x18", "there is memory at"});
  expect_refused(plan_multiboot2, pc(), address_kernel(tag(2, words(kAt, kAt, 0, 0))),
                 {"without an entry address tag"});
  expect_refused(plan_multiboot2, pc(), address_kernel({}), {"no address tag", "no ELF file"});
}

TEST(Multiboot2, KnownRequestsAreTakenUnknownOnesRefused) {
  Bytes all;
  for (std::uint32_t type = 1; type <= 21; ++type) all = joined(all, words(type));
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tag(1, all))));
  expect_refused(plan_multiboot2, pc(), elf_kernel(tag(1, words(1, 22))),
                 {"multiboot2 information request at offset 0x9c: type 22, required"});
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tag(1 | kOptional, words(1, 22)))));
}

TEST(Multiboot2, UnknownTagsAreRefusedUnlessOptional) {
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tag(11 | kOptional, words(1, 2)))));
  expect_refused(plan_multiboot2, pc(), elf_kernel(tag(11, words(1, 2))),
                 {"multiboot2 tag, type at offset 0x90: 11, required"});
}

TEST(Multiboot2, WhatThereIsNoDisplayForIsAWish) {
  const auto plan = sound(plan_multiboot2, pc(), elf_kernel(tag(5, words(1024, 768, 32))));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(information(*plan).contains(8));
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tag(4, words(2)))));
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tag(4 | kOptional, words(3)))));
  expect_refused(plan_multiboot2, pc(), elf_kernel(tag(4, words(3))),
                 {"multiboot2 console flags at offset 0x98: 0x3", "no display"});
}

TEST(Multiboot2, TagsForFirmwareAreNoHindrance) {
  const Bytes tags = joined(joined(tag(6), tag(7)), joined(tag(8, words(1)), tag(9, words(1))));
  EXPECT_TRUE(sound(plan_multiboot2, pc(), elf_kernel(tags)));
}

Bytes relocatable(std::uint32_t min, std::uint32_t max, std::uint32_t align,
                  std::uint32_t preference) {
  return elf_kernel(tag(10, words(min, max, align, preference)));
}

void expect_at(const Bytes& image, std::uint64_t base) {
  const auto plan = sound(plan_multiboot2, pc(), image);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{base});
  EXPECT_EQ(plan->segments[1].gpa, GuestAddr{base + 0x1000});
  EXPECT_EQ(plan->entry.address, GuestAddr{base + 0x100});
  auto tags = information(*plan);
  ASSERT_TRUE(tags.contains(21));
  EXPECT_EQ(get_at<std::uint32_t>(tags[21], 0), base);
}

TEST(Multiboot2, ARelocatableImageGoesWhereItPrefers) {
  expect_at(relocatable(0x100000, 0x2ffffff, 0x1000, 0), kAt);
  expect_at(relocatable(0x100000, 0x2ffffff, 0x1000, 1), 0x100000);
  expect_at(relocatable(0x300123, 0x2ffffff, 0x10000, 1), 0x310000);
  expect_at(relocatable(0x100000, 0x2ffffff, 0x1000, 2), 0x2ffe000);
  expect_at(relocatable(0x100000, 0xffffffff, 0x100000, 2), 0x3f00000);
  expect_at(relocatable(0x800000, 0x2ffffff, 0x1000, 0), 0x800000);
  expect_at(relocatable(0x100000, 0x2ffffff, 0x800000, 0), 0x800000);
  expect_at(relocatable(0x100000, kAt + 0x17ff, 0x1000, 0), kAt);
  expect_at(relocatable(0x100000, kAt + 0x17fe, 0x1000, 0), 0x100000);
}

TEST(Multiboot2, ARelocatableImageWithoutRoomIsRefused) {
  expect_refused(plan_multiboot2, pc(), relocatable(0x100000, 0x100fff, 1, 1),
                 {"multiboot2 relocatable tag at offset 0x90", "the image does not fit"});
  expect_refused(plan_multiboot2, pc(), relocatable(0x4000000, 0xffffffff, 1, 2), {"does not fit"});
  expect_refused(plan_multiboot2, pc(), relocatable(0, 0xffffffff, 3, 0),
                 {"relocatable tag, align at offset 0xa0: 0x3", "a power of two"});
  expect_refused(plan_multiboot2, pc(), relocatable(0, 0xffffffff, 0, 0), {"a power of two"});
}

TEST(Multiboot2, TheHeaderIsChecked) {
  const auto damaged = [](std::size_t at, std::uint32_t value, bool checksum,
                          const std::vector<std::string>& parts) {
    Bytes image = elf_kernel(tag(3, words(kAt + 0x100)));
    put_at(image, kHeaderAt + at, value);
    if (checksum)
      put_at(image, kHeaderAt + 12,
             0U - get_at<std::uint32_t>(image, kHeaderAt) -
                 get_at<std::uint32_t>(image, kHeaderAt + 4) -
                 get_at<std::uint32_t>(image, kHeaderAt + 8));
    expect_refused(plan_multiboot2, pc(), image, parts);
  };
  damaged(0, 0, false, {"multiboot2 header at offset 0x0: no magic 0xe85250d6"});
  damaged(12, 0, false, {"no magic"});
  damaged(4, 4, true, {"multiboot2 architecture at offset 0x84: 4; allowed: 0 (i386"});
  damaged(8, 23, true, {"multiboot2 header_length at offset 0x88: 0x17; allowed: 0x18"});
  damaged(8, 32768, true, {"multiboot2 header_length at offset 0x88: 0x8000", "to 0x7f80"});
  damaged(8, 0x1000, true, {"multiboot2 header at offset 0x80", "the file ends at"});
  damaged(8, 24, true, {"multiboot2 tag of type 3, size at offset 0x94: 0xc; allowed: 0x8 to 0x8"});
  damaged(8, 32, true, {"multiboot2 tags at offset 0xa0: header_length ends before"});
  damaged(20, 7, false, {"multiboot2 tag of type 3, size at offset 0x94: 0x7"});
  damaged(20, 0xffffffff, false, {"multiboot2 tag of type 3, size"});
  damaged(20, 8, false,
          {"multiboot2 entry address tag, size at offset 0x94: 8; allowed: at least 12"});
}

TEST(Multiboot2, TheHeaderIsWithinTheFirst32768Bytes) {
  const auto with_header_at = [](std::size_t at) {
    Bytes image(at);
    image = joined(image, header(joined(tag(2, words(kAt + at, kAt, 0, 0)), tag(3, words(kAt)))));
    image.resize(image.size() + 0x40);
    return image;
  };
  EXPECT_TRUE(sound(plan_multiboot2, pc(), with_header_at(0)));
  EXPECT_TRUE(sound(plan_multiboot2, pc(), with_header_at(32768 - 64)));
  expect_refused(plan_multiboot2, pc(), with_header_at(32768 - 56), {"whole in the first 32768"});
  expect_refused(plan_multiboot2, pc(), with_header_at(32768), {"no magic"});
  expect_refused(plan_multiboot2, pc(), with_header_at(4), {"no magic"});
}

TEST(Multiboot2, AnElfFileIsChecked) {
  Bytes image = elf_kernel();
  put_at(image, offsetof(Elf32_Ehdr, e_entry), 0x100);
  expect_refused(plan_multiboot2, pc(), image, {"e_entry at offset 0x18"});
}

}  // namespace
}  // namespace vmctl
