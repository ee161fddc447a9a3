// SPDX-License-Identifier: GPL-2.0
#include "load/bzimage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "load/linux_file.hpp"
#include "load/source.hpp"

namespace vmctl {
namespace {

using test::LinuxFile;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

BootRequest request_with(std::uint64_t memory) {
  BootRequest request{};
  request.memory_map = {
      {.base = {0}, .size = 0x9fc00, .type = MemoryType::usable},
      {.base = {0xf0000}, .size = 0x10000, .type = MemoryType::reserved},
      {.base = {kMiB}, .size = memory - kMiB, .type = MemoryType::usable},
  };
  return request;
}

Result<LoadPlan> plan_of(const LinuxFile& file,
                         const BootRequest& request = request_with(256 * kMiB)) {
  const auto bytes = file.bytes();
  return plan_bzimage(request, MemorySource(bytes, "vmlinuz"));
}

boot_params zero_page(const LoadPlan& plan) {
  boot_params params{};
  for (const Block& block : plan.blocks)
    if (block.gpa.value == plan.entry.rsi && block.bytes.size() == sizeof params)
      std::memcpy(&params, block.bytes.data(), sizeof params);
  return params;
}

const Block* block_at(const LoadPlan& plan, std::uint64_t gpa) {
  for (const Block& block : plan.blocks)
    if (block.gpa.value == gpa) return &block;
  return nullptr;
}

TEST(BzImage, IsPutWhereItPrefersAndEnteredInLongMode) {
  const auto plan = plan_of({});
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->format, Format::bzimage);
  ASSERT_EQ(plan->segments.size(), 1U);
  EXPECT_EQ(plan->segments[0].offset, LinuxFile::kCode);
  EXPECT_EQ(plan->segments[0].length, 0x1000U);
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{0x1000000});
  EXPECT_EQ(plan->entry.mode, EntryMode::long64);
  EXPECT_EQ(plan->entry.address, GuestAddr{0x1000200});
  EXPECT_NE(block_at(*plan, plan->entry.page_table.value), nullptr);
  EXPECT_NE(block_at(*plan, plan->entry.gdt.value), nullptr);
  const boot_params params = zero_page(*plan);
  EXPECT_EQ(params.hdr.header, 0x53726448U);
  EXPECT_EQ(params.hdr.type_of_loader, 0xff);
  EXPECT_EQ(params.hdr.code32_start, 0x1000000U);
  EXPECT_EQ(params.sentinel, 0);
}

TEST(BzImage, WithoutA64BitEntryItIsEnteredInProtectedMode) {
  LinuxFile file;
  file.header.xloadflags = XLF_CAN_BE_LOADED_ABOVE_4G;
  auto plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  EXPECT_EQ(plan->entry.address, GuestAddr{0x1000000});
  // Older ones have another field there.
  file.header.xloadflags = XLF_KERNEL_64;
  file.header.version = 0x20b;
  plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
}

TEST(BzImage, SaysWhatItIs) {
  const auto plan = plan_of({});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->notes,
            (std::vector<std::string>{
                "Linux 6.1.0-test (me@here) #1", "boot protocol 2.15, 64-bit entry",
                "payload: 256 bytes at 0x800, xz",
                "relocatable, preferred address 0x1000000, needs 0x800000 bytes there"}));
}

TEST(BzImage, AVersionThatIsNoneIsLeftOut) {
  LinuxFile file;
  file.version = std::string(300, 'x');
  for (const int at : {0, 0x100, 0x200, 0xffff}) {
    file.header.kernel_version = static_cast<std::uint16_t>(at);
    const auto plan = plan_of(file);
    ASSERT_TRUE(plan) << plan.error().text();
    EXPECT_TRUE(plan->notes[0].starts_with("boot protocol")) << at;
  }
  file.version = "6.1\x1b[2J";
  file.header.kernel_version = 0x100;
  const auto plan = plan_of(file);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->notes[0], "Linux 6.1\\033[2J");
}

TEST(BzImage, GoesElsewhereWhereItsPlaceIsTaken) {
  BootRequest request = request_with(256 * kMiB);
  request.memory_map.back().size = 0x1000000 + 0x100000 - kMiB;  // 1 MiB of it is there
  request.memory_map.push_back(
      {.base = {0x2100000}, .size = 64 * kMiB, .type = MemoryType::usable});
  LinuxFile file;
  const auto plan = plan_of(file, request);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{0x2200000});  // at its alignment
  EXPECT_EQ(zero_page(*plan).hdr.code32_start, 0x2200000U);
  file.header.relocatable_kernel = 0;
  const auto fixed = plan_of(file, request);
  ASSERT_FALSE(fixed);
  EXPECT_EQ(fixed.error().status, Status::bad_image);
}

TEST(BzImage, HasRoomToUnpackItself) {
  LinuxFile file;
  file.header.init_size = 240 * kMiB;
  EXPECT_TRUE(plan_of(file));
  file.header.init_size = 240 * kMiB + 1;
  const auto plan = plan_of(file);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().text().find("init_size, at offset 0x260: 0xf000001 bytes"),
            std::string::npos)
      << plan.error().text();
  EXPECT_NE(plan.error().text().find("vmlinuz"), std::string::npos);
}

TEST(BzImage, IfNotRelocatableItIsLoadedAtOneMiB) {
  LinuxFile file;
  file.header.relocatable_kernel = 0;
  file.header.kernel_alignment = 0;
  auto plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{kMiB});
  EXPECT_EQ(plan->entry.address, GuestAddr{kMiB + 0x200});
  file.header.init_size = 240 * kMiB + 1;  // counted from where it runs
  EXPECT_FALSE(plan_of(file));
}

TEST(BzImage, Protocol206IsEnough) {
  LinuxFile file;
  file.header.version = 0x206;
  file.header.jump = 0x3aeb;  // the header ends at 0x23c
  auto plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{kMiB});
  EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
  // What lies behind the header is none of it.
  EXPECT_EQ(zero_page(*plan).hdr.pref_address, 0U);
}

TEST(BzImage, WhatALaterProtocolAddsIsHandedOn) {
  LinuxFile file;
  file.header.jump = 0x7feb;  // beyond 0x26c
  auto bytes = file.bytes();
  bytes[0x270] = 0x5a;
  const auto plan = plan_bzimage(request_with(64 * kMiB), MemorySource(bytes, "vmlinuz"));
  ASSERT_TRUE(plan) << plan.error().text();
  const Block* page = block_at(*plan, plan->entry.rsi);
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->bytes[0x270], 0x5a);
}

TEST(BzImage, NoSectorsMeansFour) {
  LinuxFile file;
  file.header.setup_sects = 0;
  file.header.syssize = 0x60;
  const auto plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->segments[0].offset, 5 * 512U);
}

TEST(BzImage, ItsLastSixteenBytesNeedNotBeFull) {
  LinuxFile file;
  file.code_size = 0xff1;
  const auto plan = plan_of(file);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->segments[0].length, 0xff1U);
}

struct Case {
  const char* name;
  std::function<void(LinuxFile&)> spoil;
  const char* field;
  const char* found;
};

class BadBzImage : public testing::TestWithParam<Case> {};
TEST_P(BadBzImage, IsRefusedWithTheField) {
  LinuxFile file;
  GetParam().spoil(file);
  const auto plan = plan_of(file);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().status, Status::bad_image) << plan.error().text();
  EXPECT_EQ(plan.error().where, std::string("vmlinuz, ") + GetParam().field);
  EXPECT_TRUE(plan.error().why.starts_with(GetParam().found)) << plan.error().why;
  EXPECT_NE(plan.error().why.find("; allowed: "), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    BzImage, BadBzImage,
    testing::Values(
        Case{"boot_flag", [](auto& f) { f.header.boot_flag = 0x55aa; }, "boot_flag at offset 0x1fe",
             "0x55aa"},
        Case{"magic", [](auto& f) { f.header.header = 0; }, "header at offset 0x202", "0x0"},
        Case{"old", [](auto& f) { f.header.version = 0x205; }, "version at offset 0x206",
             "boot protocol 2.05"},
        Case{"short_206",
             [](auto& f) {
               f.header.version = 0x206;
               f.header.jump = 0x39eb;
             },
             "jump at offset 0x200", "a header that ends at 0x23b"},
        Case{"short_210",
             [](auto& f) {
               f.header.version = 0x20a;
               f.header.jump = 0x61eb;
             },
             "jump at offset 0x200", "a header that ends at 0x263"},
        Case{"short_208",
             [](auto& f) {
               f.header.version = 0x208;
               f.header.jump = 0x4deb;
             },
             "jump at offset 0x200", "a header that ends at 0x24f"},
        Case{"zimage", [](auto& f) { f.header.loadflags = 0; }, "loadflags at offset 0x211",
             "0x0, a zImage"},
        Case{"no_code", [](auto& f) { f.header.setup_sects = 9; }, "setup_sects at offset 0x1f1",
             "code from 0x1400 on"},
        Case{"syssize_0", [](auto& f) { f.header.syssize = 0; }, "syssize at offset 0x1f4",
             "0x0 bytes of code at 0x400"},
        Case{"truncated", [](auto& f) { f.code_size = 0xff0; }, "syssize at offset 0x1f4",
             "0x1000 bytes of code at 0x400"},
        Case{"syssize_max", [](auto& f) { f.header.syssize = 0xffffffff; },
             "syssize at offset 0x1f4", "0xffffffff0 bytes of code"},
        Case{"no_entry", [](auto& f) { f.header.syssize = 0x20; }, "xloadflags at offset 0x236",
             "an entry at 0x200 of the code, which has 0x200 bytes"},
        Case{"alignment_0", [](auto& f) { f.header.kernel_alignment = 0; },
             "kernel_alignment at offset 0x230", "0x0"},
        Case{"alignment_3", [](auto& f) { f.header.kernel_alignment = 0x3000; },
             "kernel_alignment at offset 0x230", "0x3000"},
        Case{"low", [](auto& f) { f.header.pref_address = 0xfffff; },
             "pref_address at offset 0x258", "0xfffff"},
        Case{"high", [](auto& f) { f.header.pref_address = 0x100000000; },
             "pref_address at offset 0x258", "0x100000000"},
        Case{"payload_offset", [](auto& f) { f.header.payload_offset = 0x1001; },
             "payload_length at offset 0x24c", "0x100 bytes at 0x1001 of the code"},
        Case{"payload_length", [](auto& f) { f.header.payload_length = 0xc01; },
             "payload_length at offset 0x24c", "0xc01 bytes at 0x400 of the code"},
        Case{"payload_wraps",
             [](auto& f) {
               f.header.payload_offset = 0xffffffff;
               f.header.payload_length = 0xffffffff;
             },
             "payload_length at offset 0x24c", "0xffffffff bytes at 0xffffffff"}),
    [](const auto& tested) { return tested.param.name; });

TEST(BzImage, ATruncatedHeaderIsRefused) {
  const auto bytes = LinuxFile().bytes();
  for (const std::size_t size : {0, 1, 0x1f1, 0x202, 0x206, 0x26b, 0x28f}) {
    const std::span<const std::uint8_t> all = bytes;
    const MemorySource source(all.first(size), "vmlinuz");
    const auto plan = plan_bzimage(request_with(64 * kMiB), source);
    ASSERT_FALSE(plan) << size;
    EXPECT_EQ(plan.error().where, "vmlinuz, setup header at offset 0x1f1") << size;
  }
}

TEST(BzImage, A32BitKernelWithTooMuchMemory) {
  LinuxFile file;
  file.header.xloadflags = 0;
  BootRequest request = request_with(2 * kGiB);
  request.memory_map.push_back({.base = {4 * kGiB}, .size = 60 * kGiB, .type = MemoryType::usable});
  auto plan = plan_of(file, request);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->notes.back(), "a 32-bit kernel: without PAE it uses none of the memory above 4G");
  request.memory_map.back().size += 1;
  plan = plan_of(file, request);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().where, "vmlinuz, xloadflags at offset 0x236");
  EXPECT_EQ(
      plan.error().why,
      "a 32-bit kernel, and memory up to 0x1000000000; allowed: up to 0xfffffffff, all that it "
      "can address");
  // A 64-bit one has no such limit, and one from before the flag may be either.
  file.header.xloadflags = XLF_KERNEL_64;
  EXPECT_TRUE(plan_of(file, request));
  file.header.version = 0x20b;
  EXPECT_TRUE(plan_of(file, request));
}

// What two pieces of a plan share, or what is not in memory: nothing, whatever the header says.
void expect_sound(const LoadPlan& plan, const BootRequest& request) {
  Room room = request.room();
  for (const Segment& segment : plan.segments) {
    EXPECT_LE(segment.length, segment.memory_length);
    const auto taken = room.take(segment.name, segment.gpa, segment.memory_length);
    EXPECT_TRUE(taken) << taken.error().text();
  }
  for (const Block& block : plan.blocks) {
    const auto taken = room.take(block.name, block.gpa, block.bytes.size());
    EXPECT_TRUE(taken) << taken.error().text();
  }
}

TEST(BzImage, NoTwoPiecesShareMemory) {
  std::mt19937_64 random(1);
  const std::vector<std::uint8_t> initrd(5 * kMiB + 3);
  const MemorySource source(initrd, "initrd");
  int planned = 0;
  for (int i = 0; i < 2000; ++i) {
    LinuxFile file;
    file.header.init_size = static_cast<std::uint32_t>(random() >> (32 + random() % 24));
    file.header.pref_address = kMiB + (random() >> (35 + random() % 20));
    file.header.kernel_alignment = 1U << random() % 28;
    file.header.relocatable_kernel = random() % 4 != 0;
    file.header.initrd_addr_max = static_cast<std::uint32_t>(random() >> (32 + random() % 8));
    file.header.xloadflags = random() % 2;
    BootRequest request = request_with((2 + random() % 256) * kMiB);
    request.command_line = std::string(random() % 2048, 'x');
    request.rng_seed.emplace();
    for (std::uint64_t n = random() % 4; n > 0; --n) request.files.push_back({&source, ""});
    const auto plan = plan_of(file, request);
    if (!plan) continue;
    ++planned;
    expect_sound(*plan, request);
    const boot_params params = zero_page(*plan);
    EXPECT_LE(
        params.hdr.ramdisk_image + std::uint64_t{params.hdr.ramdisk_size},
        std::uint64_t{params.hdr.initrd_addr_max} + 1 + (request.files.empty() ? ~0ULL >> 1 : 0));
  }
  EXPECT_GT(planned, 200);
}

}  // namespace
}  // namespace vmctl
