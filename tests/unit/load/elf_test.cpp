// SPDX-License-Identifier: GPL-2.0
#include "load/elf.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "images.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint64_t kText = 0x200000;
constexpr std::uint64_t kData = 0x201000;

// Text of one whole page, and data with a bss.
std::vector<Part> parts() {
  return {{.paddr = kText, .memsz = 0x1000, .bytes = Bytes(0x1000, 0x90)},
          {.flags = PF_R | PF_W, .paddr = kData, .memsz = 0x2345, .bytes = Bytes(0x10, 1)}};
}
Bytes image64() {
  return elf64(kText + 4, parts());
}
Bytes image32() {
  return elf32(kText + 4, parts());
}

TEST(Elf, SegmentsGoWhereTheirPhysicalAddressesSay) {
  for (const Bytes& image : {image64(), image32()}) {
    const auto plan = sound(plan_elf, pc(), image);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->format, Format::elf);
    ASSERT_EQ(plan->segments.size(), 2U);
    EXPECT_EQ(plan->segments[0].gpa, GuestAddr{kText});
    EXPECT_EQ(plan->segments[0].length, 0x1000U);
    EXPECT_EQ(image[plan->segments[0].offset], 0x90);
    EXPECT_EQ(plan->segments[1].gpa, GuestAddr{kData});
    EXPECT_EQ(plan->segments[1].length, 0x10U);
    EXPECT_EQ(plan->segments[1].memory_length, 0x2345U);
    EXPECT_EQ(image[plan->segments[1].offset], 1);
    EXPECT_EQ(plan->entry.address, GuestAddr{kText + 4});
  }
}

TEST(Elf, TheClassSaysInWhichModeItStarts) {
  const auto wide = sound(plan_elf, pc(), image64());
  const auto narrow = sound(plan_elf, pc(), image32());
  ASSERT_TRUE(wide && narrow);
  EXPECT_EQ(wide->entry.mode, EntryMode::long64);
  EXPECT_EQ(narrow->entry.mode, EntryMode::protected32);
  EXPECT_EQ(narrow->entry.page_table, GuestAddr{0});
  EXPECT_EQ(narrow->entry.rbx, 0U);
}

TEST(Elf, HasAStackBelowOneMegabyte) {
  const auto plan = sound(plan_elf, pc(), image64());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.rsp, 0x9fc00U);
  EXPECT_EQ(plan->entry.rsp % 16, 0U);
  // Nothing lies in it.
  for (const Block& block : plan->blocks)
    EXPECT_LE(block.gpa.value + block.bytes.size(), plan->entry.rsp - kElfStack);
}

TEST(Elf, OnlyTextOnPagesOfItsOwnIsReadOnly) {
  const auto read_only = [](std::uint64_t paddr, std::uint64_t size, std::uint32_t flags) {
    const auto plan = sound(
        plan_elf, pc(),
        elf64(paddr, {{.flags = flags, .paddr = paddr, .memsz = size, .bytes = Bytes(1, 0x90)}}));
    return plan && plan->segments.front().read_only;
  };
  EXPECT_TRUE(read_only(kText, 0x1000, PF_R | PF_X));
  EXPECT_TRUE(read_only(kText, 0x3000, PF_X));
  EXPECT_TRUE(read_only(kText, 0xfff, PF_R | PF_X));
  EXPECT_FALSE(read_only(kText, 0x1000, PF_R | PF_W | PF_X));
  EXPECT_FALSE(read_only(kText + 0xb0, 0x1000 - 0xb0, PF_R | PF_X));
  EXPECT_FALSE(read_only(kText + 8, 0x1000, PF_R | PF_X));
}

TEST(Elf, TextWithAGdtIsNotReadOnly) {
  Bytes text(0x100, 0x90);
  std::fill_n(text.begin() + 0x40, 8, std::uint8_t{0});
  text[0x40 + 8 + 5] = 0x9a;
  const Bytes pointer{15, 0, 0x40, 0, 0x20, 0};
  std::copy(pointer.begin(), pointer.end(), text.begin() + 0x80);
  const auto plan =
      sound(plan_elf, pc(), elf64(kText, {{.paddr = kText, .memsz = 0x1000, .bytes = text}}));
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->segments[0].read_only);
  EXPECT_EQ(plan->notes.front(),
            "its text has a GDT, at 0x200040, to which the processor writes: not read-only");
}

// A large text is not read as a whole.
TEST(Elf, AGdtIsLookedForInTheFirstMebibyteOfText) {
  const auto read_only = [](std::size_t pointer_at) {
    Bytes text(0x200000, 0x90);
    std::fill_n(text.begin() + 0x40, 8, std::uint8_t{0});
    text[0x40 + 8 + 5] = 0x9a;
    put_at(text, pointer_at, std::uint16_t{15});
    put_at(text, pointer_at + 2, static_cast<std::uint32_t>(kText + 0x40));
    const auto plan = sound(plan_elf, pc(),
                            elf64(kText, {{.paddr = kText, .memsz = text.size(), .bytes = text}}));
    return plan && plan->segments[0].read_only;
  };
  EXPECT_FALSE(read_only(0x100000 - 6));
  EXPECT_TRUE(read_only(0x100000 - 5));
}

// A GDT among them is written to by the processor.
TEST(Elf, ConstantsAreNotReadOnly) {
  const auto plan =
      sound(plan_elf, pc(),
            elf64(kText, {{.paddr = kText, .memsz = 0x1000},
                          {.flags = PF_R, .paddr = kText + 0x1000, .memsz = 0x1000}}));
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->segments[0].read_only);
  EXPECT_FALSE(plan->segments[1].read_only);
}

TEST(Elf, TheRestOfAReadOnlyPageIsTheSegments) {
  const std::vector<Part> two{{.paddr = kText, .memsz = 0x1234, .bytes = Bytes(0x10, 0x90)},
                              {.flags = PF_R | PF_W, .paddr = kText + 0x2000, .memsz = 8}};
  const auto plan = sound(plan_elf, pc(), elf64(kText, two));
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->segments[0].read_only);
  EXPECT_EQ(plan->segments[0].memory_length, 0x2000U);
  EXPECT_EQ(plan->segments[1].memory_length, 8U);
}

TEST(Elf, APageOfTwoSegmentsCanBeWrittenTo) {
  for (const std::uint32_t other : {PF_R, PF_R | PF_W}) {
    const std::vector<Part> two{{.paddr = kText, .memsz = 0x1234, .bytes = Bytes(0x10, 0x90)},
                                {.flags = other, .paddr = kText + 0x1800, .memsz = 8}};
    const auto plan = sound(plan_elf, pc(), elf64(kText, two));
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan->segments[0].read_only);
    EXPECT_EQ(plan->segments[0].memory_length, 0x1234U);
    EXPECT_FALSE(plan->segments[1].read_only);
  }
}

// Nothing of ours, the stack and the tables, lies in a read-only page.
TEST(Elf, WhatIsPlacedLeavesReadOnlyPagesAlone) {
  const std::uint64_t low = 0x1000;
  const auto plan = sound(plan_elf, pc(), elf64(low, {{.paddr = low, .memsz = 0x10}}));
  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->segments[0].read_only);
  for (const Block& block : plan->blocks) EXPECT_GE(block.gpa.value, low + 0x1000) << block.name;
}

TEST(Elf, AnEntryIsVirtual) {
  const std::uint64_t high = 0xffffffff80200000;
  const auto plan =
      sound(plan_elf, pc(),
            elf64(high + 0x10,
                  {{.paddr = kText, .memsz = 0x20, .bytes = Bytes(0x20, 0x90), .vaddr = high}}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.address, GuestAddr{kText + 0x10});
}

TEST(Elf, WhatTakesNoMemoryIsLeftOut) {
  const auto plan = sound(plan_elf, pc(),
                          elf64(kText, {{.type = PT_GNU_STACK, .flags = PF_R},
                                        {.paddr = 0, .memsz = 0},
                                        {.paddr = kText, .memsz = 0x10}}));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->segments.size(), 1U);
  EXPECT_EQ(plan->segments[0].length, 0U);
}

struct Broken {
  const char* name;
  std::size_t at;
  std::uint64_t value;
  std::size_t size;  // of the field in bytes
  std::vector<std::string> words;
};

void damage(Bytes& image, const Broken& broken) {
  for (std::size_t i = 0; i < broken.size; ++i)
    put_at(image, broken.at + i, static_cast<std::uint8_t>(broken.value >> 8 * i));
}

std::size_t program_at(std::size_t index, std::size_t field) {
  return sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr) + field;
}

class BrokenElf : public testing::TestWithParam<Broken> {};
TEST_P(BrokenElf, IsRefusedWithTheField) {
  Bytes image = image64();
  damage(image, GetParam());
  std::vector<std::string> words = GetParam().words;
  words.emplace_back("boot/image");
  expect_refused(plan_elf, pc(), image, words);
}
INSTANTIATE_TEST_SUITE_P(
    Elf, BrokenElf,
    testing::Values(
        Broken{"magic", 1, 'X', 1, {"e_ident at offset 0x0", "0x58"}},
        Broken{
            "no_class", EI_CLASS, 3, 1, {"EI_CLASS at offset 0x4: 3; allowed: 1 (32 bits) or 2"}},
        Broken{"big_endian", EI_DATA, 2, 1, {"EI_DATA at offset 0x5: 2; allowed: 1"}},
        Broken{"version", EI_VERSION, 0, 1, {"EI_VERSION at offset 0x6: 0; allowed: 1"}},
        Broken{
            "relocatable", 16, ET_REL, 2, {"e_type at offset 0x10", "an object file", "ET_EXEC"}},
        Broken{
            "position_independent", 16, ET_DYN, 2, {"e_type", "position-independent", "-no-pie"}},
        Broken{"core", 16, ET_CORE, 2, {"e_type", "a core dump"}},
        Broken{"unknown_type", 16, 77, 2, {"e_type at offset 0x10: 77; allowed: 2"}},
        Broken{
            "other_processor", 18, EM_AARCH64, 2, {"e_machine at offset 0x12: 183", "EM_X86_64"}},
        Broken{"other_class", 18, EM_386, 2, {"e_machine at offset 0x12: 3; allowed: 62"}},
        Broken{"no_headers", 56, 0, 2, {"e_phnum at offset 0x38: 0; allowed: 1 to 128"}},
        Broken{"many_headers", 56, 129, 2, {"e_phnum at offset 0x38: 129; allowed: 1 to 128"}},
        Broken{"extended_count", 56, 0xffff, 2, {"e_phnum", "PN_XNUM"}},
        Broken{"header_size", 54, 32, 2, {"e_phentsize at offset 0x36: 0x20; allowed: 0x38"}},
        Broken{"headers_outside", 32, 0x100000, 8, {"program headers at offset 0x100000"}},
        Broken{"headers_wrap", 32, ~0ULL - 8, 8, {"program headers at offset 0xfffffffffffffff7"}},
        Broken{"interpreter",
               program_at(1, 0),
               PT_INTERP,
               4,
               {"program header 1, p_type at offset 0x78", "PT_INTERP", "static"}},
        Broken{"file_size",
               program_at(0, 32),
               0x1001,
               8,
               {"program header 0, p_filesz at offset 0x40: 0x1001; allowed: at most p_memsz, "
                "0x1000"}},
        Broken{"beyond_file",
               program_at(1, 8),
               0x10000,
               8,
               {"program header 1, p_offset and p_filesz at offset 0x10000"}},
        Broken{"offset_wraps",
               program_at(1, 8),
               ~0ULL,
               8,
               {"program header 1, p_offset and p_filesz"}},
        Broken{"address_wraps",
               program_at(1, 24),
               ~0ULL - 0x100,
               8,
               {"program header 1, p_paddr and p_memsz at offset 0x78", "wrap"}},
        Broken{"virtual_wraps",
               program_at(1, 16),
               ~0ULL - 0x100,
               8,
               {"program header 1, p_vaddr and p_memsz", "wrap"}},
        Broken{"size_wraps", program_at(1, 40), ~0ULL, 8, {"p_paddr and p_memsz", "wrap"}},
        Broken{"beyond_memory",
               program_at(1, 24),
               64ULL << 20,
               8,
               {"program header 1, p_paddr and p_memsz at offset 0x78", "gpa 0x4000000",
                "there is memory at", "--mem"}},
        Broken{"in_the_hole",
               program_at(1, 24),
               0x9f000,
               8,
               {"gpa 0x9f000, 0x2345 bytes", "there is memory at 0x0 to 0x9fbff"}},
        Broken{"overlap",
               program_at(1, 24),
               kText + 0xfff,
               8,
               {"it overlaps segment program header 0 at 0x200000 to 0x200fff"}},
        Broken{"entry_outside",
               24,
               0x100,
               8,
               {"e_entry at offset 0x18: 0x100, in no executable segment",
                "allowed: 0x200000 to 0x200fff"}},
        Broken{"entry_in_data", 24, kData, 8, {"e_entry", "in no executable segment"}},
        Broken{"entry_behind", 24, kText + 0x1000, 8, {"e_entry"}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Elf, IsRefusedWhereverItIsTruncated) {
  for (const Bytes& whole : {image64(), image32()})
    for (std::size_t size = 0; size < whole.size(); size += size < 0x200 ? 1 : 0x111)
      expect_refused(plan_elf, pc(), Bytes(whole.begin(), whole.begin() + static_cast<long>(size)),
                     {"the file ends at"});
}

TEST(Elf, WithNothingToLoadIsRefused) {
  expect_refused(plan_elf, pc(), elf64(0, {{.type = PT_NOTE}}), {"program headers", "no PT_LOAD"});
  expect_refused(plan_elf, pc(), elf64(kText, {{.flags = PF_R, .paddr = kText, .memsz = 1}}),
                 {"e_entry", "in an executable segment, but there is none"});
}

TEST(Elf, Of32BitsHas386AsItsMachine) {
  Bytes image = image32();
  put_at(image, 18, std::uint16_t{EM_X86_64});
  expect_refused(plan_elf, pc(), image, {"e_machine at offset 0x12: 62; allowed: 3 (EM_386)"});
}

TEST(Elf, MayLieAboveFourGigabytesButNotStartThere) {
  const std::uint64_t high = 1ULL << 32;
  BootRequest request = pc();
  request.memory_map.push_back({.base = GuestAddr{high}, .size = 1 << 20});
  request.memory_map.back().type = MemoryType::usable;
  const Part far{.paddr = high, .memsz = 0x1000};
  const auto plan = sound(plan_elf, request, elf64(kText, {{.paddr = kText, .memsz = 16}, far}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->segments[1].gpa, GuestAddr{high});
  expect_refused(plan_elf, request, elf64(high, {far}), {"e_entry", "below 4 GiB"});
}

TEST(Elf, HasNoWayToFindCommandLineAndFiles) {
  BootRequest request = pc();
  request.command_line = "quiet";
  expect_refused(plan_elf, request, image64(), {"--append", "no way to find"}, Status::usage);
  const MemorySource file(image64());
  request = pc();
  request.files.push_back({.source = &file, .arguments = ""});
  expect_refused(plan_elf, request, image64(), {"--initrd", "multiboot"}, Status::usage);
}

TEST(Elf, NeedsRoomForTablesAndStack) {
  BootRequest request = pc();
  request.memory_map = {{.base = GuestAddr{0}, .size = 0x10000, .type = MemoryType::usable}};
  EXPECT_TRUE(sound(plan_elf, request, elf64(0x8000, {{.paddr = 0x8000, .memsz = 0x1000}})));
  expect_refused(plan_elf, request, elf64(0x1000, {{.paddr = 0x1000, .memsz = 0xf000}}),
                 {"the GDT does not fit"});
  expect_refused(plan_elf, request, elf64(0x2000, {{.paddr = 0x2000, .memsz = 0xe000}}),
                 {"the page table does not fit"});
  expect_refused(plan_elf, request, elf32(0x2000, {{.paddr = 0x2000, .memsz = 0xb000}}),
                 {"the stack does not fit"});
}

}  // namespace
}  // namespace vmctl
