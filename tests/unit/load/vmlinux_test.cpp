// SPDX-License-Identifier: GPL-2.0
#include "load/vmlinux.hpp"

#include <asm/bootparam.h>
#include <gtest/gtest.h>

#include "images.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint64_t kAt = 0x1000000;
constexpr std::uint64_t kMap = 0xffffffff80000000;

std::vector<Part> parts(std::uint64_t above) {
  return {{.paddr = kAt, .memsz = 0x2000, .bytes = Bytes(0x2000, 0x90), .vaddr = kAt + above},
          {.flags = PF_R | PF_W, .paddr = kAt + 0x2000, .memsz = 0x800000, .vaddr = 0}};
}

TEST(Vmlinux, StartsInLongModeWithAZeroPage) {
  BootRequest request = pc();
  request.command_line = "console=ttyS0";
  const Bytes bytes(0x1001, 7);
  const MemorySource file(bytes, "initrd");
  request.files = {{.source = &file, .arguments = ""}};
  const auto plan = sound(plan_vmlinux, request, elf64(kAt + 0x40, parts(kMap)));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->format, Format::vmlinux);
  EXPECT_EQ(plan->entry.mode, EntryMode::long64);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x40});
  for (const Segment& segment : plan->segments) EXPECT_FALSE(segment.read_only);
  const auto params = get_at<boot_params>(memory_at(*plan, plan->entry.rsi), 0);
  EXPECT_EQ(params.hdr.boot_flag, 0xaa55);
  EXPECT_EQ(params.e820_entries, 4);
  EXPECT_EQ(text_at(*plan, params.hdr.cmd_line_ptr), "console=ttyS0");
  EXPECT_EQ(params.hdr.ramdisk_size, 0x1004U);
  EXPECT_NE(params.hdr.ramdisk_image, 0U);
}

TEST(Vmlinux, AnEntryMayBeVirtual) {
  const auto plan = sound(plan_vmlinux, pc(), elf64(kAt + kMap + 0x40, parts(kMap)));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x40});
}

TEST(Vmlinux, Of32BitsStartsInProtectedMode) {
  const auto plan = sound(plan_vmlinux, pc(), elf32(kAt, parts(0xc0000000)));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  EXPECT_NE(plan->entry.rsi, 0U);
}

TEST(Vmlinux, WhatIsTooMuchIsRefused) {
  const Bytes image = elf64(kAt, parts(kMap));
  BootRequest request = pc();
  request.command_line = std::string(2048, 'x');
  expect_refused(plan_vmlinux, request, image, {"cmdline_size", "2048", "2047"});
  const Bytes bytes(64 << 20);
  const MemorySource file(bytes, "initrd.gz");
  request = pc();
  request.files = {{.source = &file, .arguments = ""}};
  expect_refused(plan_vmlinux, request, image, {"initrd"});
  expect_refused(plan_vmlinux, pc(), elf64(0x90000000, parts(kMap)), {"e_entry", "in no segment"});
  expect_refused(plan_vmlinux, pc(0x1000000), image, {"program header 0", "there is memory at"});
}

}  // namespace
}  // namespace vmctl
