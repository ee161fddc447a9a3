// SPDX-License-Identifier: GPL-2.0
#include "load/boot_params.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace vmctl {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// A source of which only the size is asked.
class Sized final : public Source {
 public:
  Sized(std::string path, std::uint64_t size) : path_(std::move(path)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }
  Result<> read(std::uint64_t offset, std::span<std::uint8_t>) const override {
    return reject(*this, {.field = "it", .offset = offset, .found = "read", .allowed = "planned"});
  }

 private:
  std::string path_;
  std::uint64_t size_;
};

class BootParams : public testing::Test {
 protected:
  BootParams() {
    request.memory_map = {
        {.base = {0}, .size = 0x9fc00, .type = MemoryType::usable},
        {.base = {0x9fc00}, .size = 0x400, .type = MemoryType::reserved},
        {.base = {kMiB}, .size = 127 * kMiB, .type = MemoryType::usable},
        {.base = {128 * kMiB}, .size = kMiB, .type = MemoryType::acpi},
    };
  }

  Result<> add() {
    plan = {};
    Room room = request.room();
    return add_boot_params(plan, room, request, kernel, params);
  }
  std::vector<std::uint8_t> at(std::uint64_t gpa) const {
    for (const Block& block : plan.blocks)
      if (block.gpa.value == gpa) return block.bytes;
    return {};
  }
  boot_params page() const {
    boot_params read{};
    const auto bytes = at(plan.entry.rsi);
    if (bytes.size() == sizeof read) std::memcpy(&read, bytes.data(), sizeof read);
    return read;
  }

  Sized kernel{"vmlinux", 1};
  BootRequest request{};
  boot_params params = vmlinux_boot_params();
  LoadPlan plan;
};

TEST_F(BootParams, AllOfTheMemoryMap) {
  request.rsdp = {0xe0000};
  ASSERT_TRUE(add());
  const boot_params read = page();
  ASSERT_EQ(read.e820_entries, 4);
  EXPECT_EQ(read.e820_table[1].addr, 0x9fc00U);
  EXPECT_EQ(read.e820_table[1].size, 0x400U);
  EXPECT_EQ(read.e820_table[1].type, 2U);
  EXPECT_EQ(read.e820_table[3].type, 3U);
  EXPECT_EQ(read.e820_table[4].size, 0U);
  EXPECT_EQ(read.acpi_rsdp_addr, 0xe0000U);
  EXPECT_EQ(read.hdr.type_of_loader, 0xff);
  EXPECT_EQ(read.hdr.loadflags & LOADED_HIGH, LOADED_HIGH);
}

TEST_F(BootParams, AMemoryMapThatDoesNotFit) {
  const MemoryMapEntry reserved{.base = {1ULL << 32}, .size = 1, .type = MemoryType::reserved};
  request.memory_map.resize(128, reserved);
  EXPECT_TRUE(add());
  request.memory_map.push_back(reserved);
  const auto done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().why, "it has 129 entries; allowed: 128");
}

TEST_F(BootParams, TheCommandLineEndsWithANul) {
  request.command_line = "console=ttyS0";
  ASSERT_TRUE(add());
  const auto bytes = at(page().hdr.cmd_line_ptr);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), std::string("console=ttyS0\0", 14));
  request.command_line.clear();
  ASSERT_TRUE(add());
  EXPECT_EQ(at(page().hdr.cmd_line_ptr), std::vector<std::uint8_t>{0});
}

TEST_F(BootParams, TheKernelsOwnLimitOfTheCommandLine) {
  request.command_line = std::string(2047, 'x');
  EXPECT_TRUE(add());
  request.command_line += 'x';
  auto done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::bad_image);
  EXPECT_EQ(done.error().where, "vmlinux");
  EXPECT_EQ(done.error().why, "cmdline_size: a command line of 2048 bytes; allowed: at most 2047");
  params.hdr.jump = 0x6aeb;  // a header that is in the file
  params.hdr.cmdline_size = 255;
  done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().where, "vmlinux, cmdline_size at offset 0x238");
  EXPECT_EQ(done.error().why, "a command line of 2048 bytes; allowed: at most 255");
}

TEST_F(BootParams, ACommandLineWithANulInIt) {
  request.command_line = std::string("a\0b", 3);
  const auto done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::usage);
  EXPECT_EQ(done.error().why, "a NUL at byte 1, where a command line ends");
}

TEST_F(BootParams, TheInitrdIsAsHighAsCanBe) {
  const Sized initrd("initrd", 0x1801);
  request.files = {{&initrd, ""}};
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 128 * kMiB - 0x2000);
  EXPECT_EQ(page().hdr.ramdisk_size, 0x1804U);
  ASSERT_EQ(plan.segments.size(), 1U);
  EXPECT_EQ(plan.segments[0].file, 1U);
  EXPECT_EQ(plan.segments[0].length, 0x1801U);
  EXPECT_EQ(plan.segments[0].memory_length, 0x1804U);
}

TEST_F(BootParams, SeveralInitrdsAreOneAtMultiplesOfFour) {
  const Sized first("a", 5);
  const Sized second("b", 8);
  const Sized third("c", 1);
  request.files = {{&first, ""}, {&second, ""}, {&third, ""}};
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_size, 8U + 8 + 4);
  ASSERT_EQ(plan.segments.size(), 3U);
  const std::uint64_t base = page().hdr.ramdisk_image;
  EXPECT_EQ(plan.segments[1].file, 2U);
  EXPECT_EQ(plan.segments[1].gpa.value, base + 8);
  EXPECT_EQ(plan.segments[2].gpa.value, base + 16);
  EXPECT_EQ(plan.segments[0].memory_length, 8U);  // zeros up to the next
}

TEST_F(BootParams, TheInitrdIsWhereTheKernelTakesIt) {
  const Sized initrd("initrd", kMiB);
  request.files = {{&initrd, ""}};
  params.hdr.initrd_addr_max = 0x37fffff;
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 0x3700000U);
  params.hdr.initrd_addr_max = 0x1fffff;  // one MiB, and that is there
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 0x100000U);
  params.hdr.initrd_addr_max = 0x1ffffe;
  EXPECT_FALSE(add());
}

TEST_F(BootParams, TheInitrdIsBelowWhatTheCommandLineMakesOfMemory) {
  const Sized initrd("initrd", kMiB);
  request.files = {{&initrd, ""}};
  request.command_line = "quiet mem=32M mem=nopentium";
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 31 * kMiB);
  request.command_line = "mem=32M mem=64M";  // the last one holds
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 63 * kMiB);
  request.command_line = "mem=0";
  EXPECT_FALSE(add());
  request.command_line = "memmap=1M mem=999G";
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.ramdisk_image, 127 * kMiB);
}

TEST_F(BootParams, AnInitrdThatIsTooLarge) {
  const Sized fits("initrd", 127 * kMiB);
  request.files = {{&fits, ""}};
  EXPECT_TRUE(add());
  const Sized larger("big", 127 * kMiB + 1);
  request.files = {{&larger, ""}};
  auto done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "the initrd does not fit into the guest's memory");
  EXPECT_NE(done.error().where.find("big"), std::string::npos);
  EXPECT_NE(done.error().why.find("vmlinux takes it up to 0x7fffffff"), std::string::npos);
  for (const std::uint64_t size : {0x80000001ULL, 1ULL << 32, ~0ULL, ~0ULL - 3}) {
    const Sized huge("huge", size);
    request.files = {{&huge, ""}};
    EXPECT_FALSE(add()) << size;
    request.files = {{&fits, ""}, {&huge, ""}};
    EXPECT_FALSE(add()) << size;
  }
}

TEST_F(BootParams, AnInitrdHasNoArguments) {
  const Sized initrd("initrd", 4);
  request.files = {{&initrd, "debug"}};
  const auto done = add();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::usage);
  EXPECT_EQ(done.error().what, "--initrd initrd,debug");
}

TEST_F(BootParams, ASeedOfRandomBytes) {
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.setup_data, 0U);
  request.rng_seed.emplace().fill(0x5a);
  ASSERT_TRUE(add());
  const auto bytes = at(page().hdr.setup_data);
  ASSERT_EQ(bytes.size(), 16U + 32);
  EXPECT_EQ(bytes[0], 0);  // the last of the list
  EXPECT_EQ(bytes[8], 9);  // SETUP_RNG_SEED
  EXPECT_EQ(bytes[12], 32);
  EXPECT_EQ(bytes[16], 0x5a);
  EXPECT_EQ(bytes[47], 0x5a);
  params.hdr.version = 0x208;  // before there was such a list
  ASSERT_TRUE(add());
  EXPECT_EQ(page().hdr.setup_data, 0U);
}

TEST_F(BootParams, WithoutLowMemoryAllIsElsewhereBelow4GiB) {
  request.memory_map = {{.base = {kMiB}, .size = kMiB, .type = MemoryType::usable}};
  ASSERT_TRUE(add());
  EXPECT_GE(plan.entry.rsi, kMiB);
  request.memory_map = {{.base = {1ULL << 32}, .size = kMiB, .type = MemoryType::usable}};
  EXPECT_FALSE(add());
}

}  // namespace
}  // namespace vmctl
