// SPDX-License-Identifier: GPL-2.0
#include "load/multiboot1.hpp"

#include <gtest/gtest.h>

#include <cstddef>

#include "images.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint32_t kMagic = 0x1badb002;
constexpr std::uint64_t kAt = 0x400000;

Bytes header(std::uint32_t flags, const Bytes& rest = {}) {
  return joined(words(kMagic, flags, 0U - kMagic - flags), rest);
}

// As kvm-unit-tests are: the header first, then code.
Bytes elf_kernel(std::uint32_t flags = 0, const Bytes& rest = {}) {
  Bytes text = header(flags, rest);
  text.resize(0x100, 0x90);
  return elf32(kAt + 12, {{.paddr = kAt, .memsz = 0x100, .bytes = text},
                          {.flags = PF_R | PF_W, .paddr = kAt + 0x1000, .memsz = 0x5000}});
}

// A file that is loaded by its addresses: 0x40 bytes, the header, code.
Bytes address_kernel(std::uint32_t load, std::uint32_t load_end, std::uint32_t bss_end,
                     std::uint32_t entry, std::uint32_t header_addr = kAt + 0x40) {
  Bytes image(0x40);
  image = joined(image, header(1U << 16, words(header_addr, load, load_end, bss_end, entry)));
  image.resize(0x200, 0x90);
  return image;
}

std::uint32_t word(const LoadPlan& plan, std::uint64_t gpa) {
  return get_at<std::uint32_t>(memory_at(plan, gpa), 0);
}

std::uint32_t info(const LoadPlan& plan, std::size_t field) {
  return word(plan, plan.entry.rbx + field);
}

TEST(Multiboot1, StartsAsTheSpecificationSays) {
  const auto plan = sound(plan_multiboot1, pc(), elf_kernel());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->format, Format::multiboot1);
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  EXPECT_EQ(plan->entry.rax, 0x2badb002U);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 12});
  EXPECT_LT(plan->entry.rbx, 0x100000U);
  for (const Segment& segment : plan->segments) EXPECT_FALSE(segment.read_only);
}

TEST(Multiboot1, TellsMemory) {
  const auto plan = sound(plan_multiboot1, pc(), elf_kernel());
  ASSERT_TRUE(plan);
  EXPECT_EQ(info(*plan, 0) & 0x41, 0x41U);
  EXPECT_EQ(info(*plan, 4), 639U);
  EXPECT_EQ(info(*plan, 8), 63U * 1024);
  EXPECT_EQ(info(*plan, 44), 4U * 24);
  const std::uint64_t map = info(*plan, 48);
  EXPECT_EQ(word(*plan, map), 20U);
  EXPECT_EQ(word(*plan, map + 4), 0U);
  EXPECT_EQ(word(*plan, map + 12), 0x9fc00U);
  EXPECT_EQ(word(*plan, map + 20), 1U);
  EXPECT_EQ(word(*plan, map + 24 + 4), 0x9fc00U);
  EXPECT_EQ(word(*plan, map + 24 + 20), 2U);
  EXPECT_EQ(word(*plan, map + 72 + 4), 0x100000U);
}

TEST(Multiboot1, TheCommandLineFollowsTheName) {
  BootRequest request = pc();
  auto plan = sound(plan_multiboot1, request, elf_kernel());
  ASSERT_TRUE(plan);
  EXPECT_EQ(info(*plan, 0) & 0x204, 0x204U);
  EXPECT_EQ(text_at(*plan, info(*plan, 16)), "image");
  EXPECT_EQ(text_at(*plan, info(*plan, 64)), "vmctl");
  request.command_line = "-m 64 quiet";
  plan = sound(plan_multiboot1, request, elf_kernel());
  ASSERT_TRUE(plan);
  EXPECT_EQ(text_at(*plan, info(*plan, 16)), "image -m 64 quiet");
}

TEST(Multiboot1, ModulesFollowTheImageOnPagesOfTheirOwn) {
  const Bytes first(0x1234, 1);
  const Bytes second(5, 2);
  const MemorySource one(first, "dir/env");
  const MemorySource two(second, "two");
  BootRequest request = pc();
  request.files = {{.source = &one, .arguments = ""}, {.source = &two, .arguments = "a b"}};
  const auto plan = sound(plan_multiboot1, request, elf_kernel(1));
  ASSERT_TRUE(plan);
  EXPECT_EQ(info(*plan, 0) & 8, 8U);
  EXPECT_EQ(info(*plan, 20), 2U);
  const std::uint64_t list = info(*plan, 24);
  EXPECT_EQ(word(*plan, list), kAt + 0x6000);
  EXPECT_EQ(word(*plan, list + 4), kAt + 0x6000 + 0x1234);
  EXPECT_EQ(text_at(*plan, word(*plan, list + 8)), "env");
  EXPECT_EQ(word(*plan, list + 12), 0U);
  EXPECT_EQ(word(*plan, list + 16), kAt + 0x8000);
  EXPECT_EQ(word(*plan, list + 20), kAt + 0x8005);
  EXPECT_EQ(text_at(*plan, word(*plan, list + 24)), "a b");
  ASSERT_NE(segment_of(*plan, "module 1"), nullptr);
  EXPECT_EQ(segment_of(*plan, "module 1")->file, 2U);
}

TEST(Multiboot1, AModuleThatDoesNotFitIsNamed) {
  const Bytes bytes(64 << 20);
  const MemorySource file(bytes, "huge.img");
  BootRequest request = pc();
  request.files = {{.source = &file, .arguments = ""}};
  expect_refused(plan_multiboot1, request, elf_kernel(),
                 {"module 0, huge.img, does not fit", "--mem"});
}

TEST(Multiboot1, AModuleListThatDoesNotFitIsRefused) {
  // Pages for the modules, and for the rest what is below and between the segments.
  constexpr std::uint64_t kModules = 300;
  const Bytes bytes(0x1000);
  const MemorySource file(bytes, "m");
  BootRequest request = pc();
  request.memory_map = {
      {.base = GuestAddr{0x1000}, .size = 0x200, .type = MemoryType::usable},
      {.base = GuestAddr{kAt}, .size = 0x6000, .type = MemoryType::usable},
      {.base = GuestAddr{0x500000}, .size = kModules * 0x1000, .type = MemoryType::usable}};
  for (std::uint64_t i = 0; i < kModules; ++i)
    request.files.push_back({.source = &file, .arguments = ""});
  expect_refused(plan_multiboot1, request, elf_kernel(), {"the module list does not fit"});
}

TEST(Multiboot1, ACommandLineThatDoesNotFitIsRefused) {
  BootRequest request = pc();
  request.command_line = std::string(64 << 20, 'x');
  expect_refused(plan_multiboot1, request, elf_kernel(), {"the command line does not fit"});
}

TEST(Multiboot1, SymbolsAreLoaded) {
  Bytes image = elf_kernel();
  const std::size_t strings = image.size();
  image.insert(image.end(), 0x20, 's');
  image.resize((image.size() + 15) / 16 * 16);
  const std::size_t table = image.size();
  Elf32_Shdr text{.sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = kAt};
  Elf32_Shdr symbols{.sh_type = SHT_STRTAB, .sh_offset = static_cast<Elf32_Off>(strings)};
  symbols.sh_size = 0x20;
  Elf32_Shdr debug{.sh_type = SHT_PROGBITS, .sh_offset = static_cast<Elf32_Off>(strings)};
  debug.sh_size = 0x20;
  put_at(image, table, Elf32_Shdr{});
  put_at(image, table + sizeof text, text);
  put_at(image, table + 2 * sizeof text, symbols);
  put_at(image, table + 3 * sizeof text, debug);
  put_at(image, offsetof(Elf32_Ehdr, e_shoff), static_cast<std::uint32_t>(table));
  put_at(image, offsetof(Elf32_Ehdr, e_shentsize), static_cast<std::uint16_t>(sizeof text));
  put_at(image, offsetof(Elf32_Ehdr, e_shnum), std::uint16_t{4});
  put_at(image, offsetof(Elf32_Ehdr, e_shstrndx), std::uint16_t{2});
  const auto plan = sound(plan_multiboot1, pc(), image);
  ASSERT_TRUE(plan);
  EXPECT_EQ(info(*plan, 0) & 0x20, 0x20U);
  EXPECT_EQ(info(*plan, 28), 4U);
  EXPECT_EQ(info(*plan, 32), sizeof text);
  EXPECT_EQ(info(*plan, 40), 2U);
  const auto address = [&](std::uint64_t index) {
    return word(*plan, info(*plan, 36) + index * sizeof text + offsetof(Elf32_Shdr, sh_addr));
  };
  EXPECT_EQ(address(1), kAt);
  EXPECT_EQ(address(3), 0U);
  const Segment* loaded = segment_of(*plan, "section 2");
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->gpa, GuestAddr{address(2)});
  EXPECT_EQ(loaded->offset, strings);
  EXPECT_GE(loaded->gpa.value, kAt + 0x6000);

  // Unsound headers are left out.
  put_at(image, offsetof(Elf32_Ehdr, e_shoff), 0x7fffffff);
  const auto without = sound(plan_multiboot1, pc(), image);
  ASSERT_TRUE(without);
  EXPECT_EQ(info(*without, 0) & 0x20, 0U);
}

TEST(Multiboot1, An64BitExecutableStartsIn32BitMode) {
  Bytes text = header(0);
  text.resize(0x40, 0x90);
  const std::uint64_t high = 0xffffffff80400000;
  const auto plan =
      sound(plan_multiboot1, pc(),
            elf64(high + 12, {{.paddr = kAt, .memsz = 0x40, .bytes = text, .vaddr = high}}));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 12});
}

TEST(Multiboot1, AddressesInTheHeaderSayWhereAFileGoes) {
  const auto plan = sound(plan_multiboot1, pc(),
                          address_kernel(kAt + 0x20, kAt + 0x120, kAt + 0x9000, kAt + 0x80));
  ASSERT_TRUE(plan);
  const Segment* image = segment_of(*plan, "image");
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->offset, 0x20U);
  EXPECT_EQ(image->length, 0x100U);
  EXPECT_EQ(image->gpa, GuestAddr{kAt + 0x20});
  EXPECT_EQ(image->memory_length, 0x9000U - 0x20);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x80});

  const auto whole = sound(plan_multiboot1, pc(), address_kernel(kAt, 0, 0, kAt));
  ASSERT_TRUE(whole);
  EXPECT_EQ(segment_of(*whole, "image")->length, 0x200U);
  EXPECT_EQ(segment_of(*whole, "image")->memory_length, 0x200U);
}

TEST(Multiboot1, AddressesComeBeforeThoseOfAnElfFile) {
  Bytes image = elf_kernel();
  const std::size_t at = 0x80;  // where the first part begins
  ASSERT_EQ(get_at<std::uint32_t>(image, at), kMagic);
  const Bytes kludge = header(1U << 16, words(0x200000, 0x200000, 0, 0, 0x200010));
  std::copy(kludge.begin(), kludge.end(), image.begin() + at);
  const auto plan = sound(plan_multiboot1, pc(), image);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.address, GuestAddr{0x200010});
  EXPECT_EQ(plan->segments.size(), 1U);
}

TEST(Multiboot1, BadAddressesAreNamed) {
  const auto refused = [](const Bytes& image, const std::vector<std::string>& parts) {
    expect_refused(plan_multiboot1, pc(), image, parts);
  };
  refused(address_kernel(kAt + 0x41, 0, 0, kAt + 0x80),
          {"load_addr at offset 0x50: 0x400041; allowed: at most header_addr, 0x400040"});
  refused(address_kernel(kAt - 1, 0, 0, kAt), {"load_addr at offset 0x50", "at least 0x400000"});
  refused(address_kernel(kAt, kAt + 0x40, 0, kAt), {"load_end_addr at offset 0x54"});
  refused(address_kernel(kAt, kAt + 0x201, 0, kAt), {"load_end_addr", "the file ends at 0x200"});
  refused(address_kernel(kAt, 0, kAt + 0x1ff, kAt),
          {"bss_end_addr at offset 0x58: 0x4001ff", "0x400200"});
  refused(address_kernel(kAt, 0, 0, kAt + 0x200),
          {"entry_addr at offset 0x5c: 0x400200; allowed: 0x400000 to 0x4001ff"});
  refused(address_kernel(kAt, 0, 0, kAt - 1), {"entry_addr"});
  refused(address_kernel(0x9fb00, 0, 0, 0x9fb00, 0x9fb40),
          {"load_addr at offset 0x50", "gpa 0x9fb00", "there is memory at"});
  refused(address_kernel(0xffffff00, 0, 0, 0xffffff00, 0xffffff40), {"there is memory at"});
  Bytes cut = address_kernel(kAt, 0, 0, kAt);
  cut.resize(0x50);
  refused(cut, {"multiboot addresses at offset 0x4c", "the file ends at 0x50"});
}

TEST(Multiboot1, RequiredFeaturesMustBeKnown) {
  for (unsigned bit = 3; bit < 16; ++bit)
    expect_refused(plan_multiboot1, pc(), elf_kernel(1U << bit),
                   {"multiboot flags at offset 0x84", "unknown features", "in 0x7"});
  for (unsigned bit = 17; bit < 32; ++bit)
    EXPECT_TRUE(sound(plan_multiboot1, pc(), elf_kernel(1U << bit)));
  EXPECT_TRUE(sound(plan_multiboot1, pc(), elf_kernel(3)));
}

TEST(Multiboot1, OnlyTextCanBeWished) {
  const auto video = [](std::uint32_t mode) { return elf_kernel(4, words(0, 0, 0, 0, 0, mode)); };
  const auto plan = sound(plan_multiboot1, pc(), video(1));
  ASSERT_TRUE(plan);
  EXPECT_EQ(info(*plan, 0) & 0x1800, 0U);
  expect_refused(plan_multiboot1, pc(), video(0),
                 {"multiboot mode_type at offset 0xa0: 0", "1 (text)", "no display"});
}

TEST(Multiboot1, TheHeaderIsWithinTheFirst8192Bytes) {
  const auto with_header_at = [](std::size_t at) {
    Bytes image(at);
    image = joined(image, header(1U << 16, words(kAt + at, kAt, 0, 0, kAt)));
    image.resize(at + 0x40);
    return image;
  };
  EXPECT_TRUE(sound(plan_multiboot1, pc(), with_header_at(0)));
  EXPECT_TRUE(sound(plan_multiboot1, pc(), with_header_at(8192 - 12)));
  const std::vector<std::string> none{"multiboot header at offset 0x0: no magic 0x1badb002"};
  expect_refused(plan_multiboot1, pc(), with_header_at(8192 - 8), none);
  expect_refused(plan_multiboot1, pc(), with_header_at(8192), none);
  expect_refused(plan_multiboot1, pc(), with_header_at(0x42), none);
  Bytes wrong = with_header_at(0);
  put_at(wrong, 8, std::uint32_t{0});
  expect_refused(plan_multiboot1, pc(), wrong, none);
  expect_refused(plan_multiboot1, pc(), Bytes(11), none);
}

TEST(Multiboot1, WithoutAddressesItIsAnElfFile) {
  expect_refused(plan_multiboot1, pc(), joined(header(0), Bytes(0x100)),
                 {"multiboot flags at offset 0x4", "it is no ELF file", "bit 16"});
}

TEST(Multiboot1, AnElfFileIsChecked) {
  Bytes image = elf_kernel();
  put_at(image, offsetof(Elf32_Ehdr, e_entry), 0x100);
  expect_refused(plan_multiboot1, pc(), image, {"e_entry at offset 0x18: 0x100, in no segment"});
}

}  // namespace
}  // namespace vmctl
