// SPDX-License-Identifier: GPL-2.0
#include "firmware/firmware.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "firmware/example.hpp"

namespace vmctl::firmware {
namespace {

using test::number;
using test::text;

const Block& find(const Firmware& firmware, std::string_view name) {
  const auto found = std::find_if(firmware.blocks.begin(), firmware.blocks.end(),
                                  [&](const Block& block) { return block.name == name; });
  EXPECT_NE(found, firmware.blocks.end()) << name;
  return *found;
}

std::vector<std::string> names(const Firmware& firmware) {
  std::vector<std::string> all;
  for (const Block& block : firmware.blocks) all.push_back(block.name);
  return all;
}

TEST(FirmwareTest, LiesWhereItIsLookedFor) {
  for (const std::uint32_t cpus : {1U, 3U, 255U, 300U}) {
    const Firmware firmware = build(test::example(cpus)).value();
    std::uint64_t at = 0xe0000;
    for (const Block& block : firmware.blocks) {
      EXPECT_GE(block.gpa.value, at) << block.name;
      EXPECT_EQ(block.gpa.value % (block.name == "FACS" ? 64 : 16), 0U) << block.name;
      at = block.gpa.value + block.bytes.size();
    }
    EXPECT_LE(at, 0x100000U);
    EXPECT_EQ(firmware.rsdp, GuestAddr{0xe0000});
    EXPECT_GE(find(firmware, "MP pointer").gpa.value, 0xf0000U);
  }
}

// Each thing is where the others say.
TEST(FirmwareTest, PointersLeadToWhatTheyName) {
  const Firmware firmware = build(test::example()).value();
  EXPECT_EQ(names(firmware),
            (std::vector<std::string>{"RSDP", "RSDT", "XSDT", "FACS", "DSDT", "FACP", "APIC",
                                      "WAET", "MP pointer", "MP table"}));
  const Bytes& rsdp = find(firmware, "RSDP").bytes;
  EXPECT_EQ(rsdp, root_pointer());
  EXPECT_EQ(number(rsdp, 16, 4), find(firmware, "RSDT").gpa.value);
  EXPECT_EQ(number(rsdp, 24, 8), find(firmware, "XSDT").gpa.value);
  const Bytes& xsdt = find(firmware, "XSDT").bytes;
  const Bytes& rsdt = find(firmware, "RSDT").bytes;
  ASSERT_EQ(xsdt.size(), 36U + 3 * 8);
  ASSERT_EQ(rsdt.size(), 36U + 3 * 4);
  std::size_t row = 0;
  for (const char* name : {"FACP", "APIC", "WAET"}) {
    EXPECT_EQ(number(xsdt, 36 + row * 8, 8), find(firmware, name).gpa.value) << name;
    EXPECT_EQ(number(rsdt, 36 + row * 4, 4), find(firmware, name).gpa.value) << name;
    EXPECT_EQ(text(find(firmware, name).bytes, 0, 4), name);
    ++row;
  }
  const Bytes& fadt = find(firmware, "FACP").bytes;
  EXPECT_EQ(number(fadt, 36, 4), find(firmware, "FACS").gpa.value);
  EXPECT_EQ(number(fadt, 40, 4), find(firmware, "DSDT").gpa.value);
  EXPECT_EQ(number(find(firmware, "MP pointer").bytes, 4, 4), find(firmware, "MP table").gpa.value);
}

TEST(FirmwareTest, WithoutApicsThereIsNothingOfThem) {
  Platform platform = test::example();
  platform.apics.reset();
  const Firmware firmware = build(platform).value();
  EXPECT_EQ(names(firmware),
            (std::vector<std::string>{"RSDP", "RSDT", "XSDT", "FACS", "DSDT", "FACP", "WAET"}));
  EXPECT_EQ(find(firmware, "RSDP").bytes, root_pointer());
}

TEST(FirmwareTest, TooManyProcessorsAreRefused) {
  EXPECT_TRUE(build(test::example(3000)));
  const auto refused = build(test::example(5000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, Status::usage);
  EXPECT_EQ(refused.error().what, "ACPI tables for 5000 processors do not fit");
  EXPECT_EQ(refused.error().why, "there is room for 65536 bytes");
}

}  // namespace
}  // namespace vmctl::firmware
