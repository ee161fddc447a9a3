// SPDX-License-Identifier: GPL-2.0
#include "load/format.hpp"

#include <gtest/gtest.h>

#include "images.hpp"
#include "load/planner.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint64_t kAt = 0x400000;

Bytes multiboot1_header() {
  return words(0x1badb002, 0, 0U - 0x1badb002);
}
Bytes multiboot2_header() {
  return words(0xe85250d6, 0, 24, 0U - 0xe85250d6 - 24, 0, 8);
}

Bytes kernel(const Bytes& text, const Bytes& notes = {}, std::uint64_t above = 0) {
  return elf64(kAt, {{.paddr = kAt, .memsz = 0x1000, .bytes = text, .vaddr = kAt + above},
                     {.type = PT_NOTE, .flags = PF_R, .bytes = notes}});
}

void expect_format(const Bytes& image, Format format) {
  const MemorySource source(image);
  const auto found = identify(source);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(format_name(*found), format_name(format));
}

Bytes bzimage() {
  Bytes image(0x300);
  put_at(image, 0x1fe, std::uint16_t{0xaa55});
  put_at(image, 0x202, std::uint32_t{0x53726448});
  return image;
}

TEST(Format, IsKnownByItsContent) {
  expect_format({0xf4}, Format::flat);
  expect_format(Bytes(0x10000), Format::flat);
  expect_format(bzimage(), Format::bzimage);
  expect_format(kernel(Bytes(0x100)), Format::elf);
  expect_format(elf32(kAt, {{.paddr = kAt, .memsz = 1}}), Format::elf);
  expect_format(kernel(multiboot1_header()), Format::multiboot1);
  expect_format(kernel(multiboot2_header()), Format::multiboot2);
  expect_format(joined(Bytes(64), multiboot1_header()), Format::multiboot1);
  expect_format(kernel({}, note("Xen", 18, words(kAt))), Format::pvh);
  expect_format(kernel({}, note("Linux", 0x100, words(0))), Format::vmlinux);
  expect_format(kernel({}, note("Linux", 0x101, words(0))), Format::vmlinux);
  expect_format(kernel({}, note("Xen", 6, words(0x756e696c, 0x78))), Format::vmlinux);
}

TEST(Format, OfALinuxWithoutNotesIsKnownByItsAddresses) {
  expect_format(kernel({}, {}, 0xffffffff80000000), Format::vmlinux);
  expect_format(kernel({}, {}, 0xffffffff81000000), Format::elf);
  expect_format(elf32(kAt, {{.paddr = kAt, .memsz = 1, .vaddr = kAt + 0xc0000000}}),
                Format::vmlinux);
  // A kernel of the higher half whose entry is virtual, as that of others is.
  expect_format(elf64(kAt + 0xffffffff80000000,
                      {{.paddr = kAt, .memsz = 1, .vaddr = kAt + 0xffffffff80000000}}),
                Format::elf);
}

TEST(Format, OfNotesThatOnlySoundLikeLinuxIsElf) {
  expect_format(kernel({}, note("Linux", 1, words(0))), Format::elf);
  expect_format(kernel({}, note("GNU", 0x100, words(0))), Format::elf);
  expect_format(kernel({}, note("Xen", 6, words(0x42534274))), Format::elf);
}

TEST(Format, HasAnOrder) {
  const Bytes pvh = note("Xen", 18, words(kAt));
  const Bytes linux_note = note("Linux", 0x100, words(0));
  expect_format(kernel(joined(multiboot1_header(), Bytes(4)), pvh), Format::multiboot1);
  const Bytes both = joined(joined(multiboot1_header(), Bytes(4)), multiboot2_header());
  expect_format(kernel(both), Format::multiboot2);
  expect_format(kernel({}, joined(linux_note, pvh)), Format::pvh);
  Bytes first = bzimage();
  const Bytes header = multiboot2_header();
  std::copy(header.begin(), header.end(), first.begin());
  expect_format(first, Format::bzimage);
}

TEST(Format, NeedsBothMarksOfABzImage) {
  Bytes image = bzimage();
  put_at(image, 0x1fe, std::uint16_t{0});
  expect_format(image, Format::flat);
  image = bzimage();
  put_at(image, 0x202, std::uint32_t{0});
  expect_format(image, Format::flat);
  image = bzimage();
  image.resize(0x205);
  expect_format(image, Format::flat);
}

TEST(Format, OfABrokenElfFileIsAnError) {
  Bytes image = kernel({});
  image.resize(0x30);
  const MemorySource source(image);
  const auto found = identify(source);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().status, Status::bad_image);
}

TEST(Format, HasAName) {
  for (const Format format : {Format::flat, Format::elf, Format::multiboot1, Format::multiboot2,
                              Format::pvh, Format::bzimage, Format::vmlinux}) {
    const auto parsed = parse_format(format_name(format));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, format);
  }
  const auto none = parse_format("a.out\033");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().status, Status::usage);
  EXPECT_NE(none.error().text().find("multiboot2"), std::string::npos);
  EXPECT_EQ(none.error().text().find('\033'), std::string::npos);
}

TEST(Planner, OnlyAFlatImageIsToldWhereItIsAndWhereItStarts) {
  struct Told {
    FlatRequest flat;
    const char* option;
  };
  for (const auto& [flat, option] :
       {Told{{.at = GuestAddr{0x2000}, .entry = std::nullopt}, "--at 0x2000"},
        Told{{.at = std::nullopt, .entry = GuestAddr{0x1000}}, "--entry 0x1000"}}) {
    BootRequest request = pc();
    request.flat = flat;
    expect_refused(plan_image, request, kernel(Bytes(0x100)), {option, "it is elf"}, Status::usage);
    request.format = Format::flat;
    EXPECT_TRUE(sound(plan_image, request, kernel(Bytes(0x100))));
  }
}

TEST(Planner, TakesTheFormatByForceOrByContent) {
  const Bytes image = kernel(multiboot1_header());
  const MemorySource source(image);
  BootRequest request = pc();
  const auto format = [&] {
    const auto plan = plan_image(request, source);
    return plan ? format_name(plan->format) : std::string_view("none");
  };
  EXPECT_EQ(format(), "multiboot1");
  for (const Format forced : {Format::flat, Format::elf, Format::vmlinux}) {
    request.format = forced;
    EXPECT_EQ(format(), format_name(forced));
  }
  for (const Format forced : {Format::multiboot2, Format::pvh, Format::bzimage}) {
    request.format = forced;
    EXPECT_EQ(format(), "none");
  }
}

}  // namespace
}  // namespace vmctl
