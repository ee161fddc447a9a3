// SPDX-License-Identifier: GPL-2.0
#include "vm/msr.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmctl {
namespace {

MsrRule rule(const char* text) {
  return parse_msr(text).value();
}

TEST(Msr, ParsesDirectionsRangesAndValues) {
  const MsrRule plain = rule("0x1234");
  EXPECT_EQ(plain.first, 0x1234U);
  EXPECT_EQ(plain.last, 0x1234U);
  EXPECT_TRUE(plain.reads && plain.writes);
  EXPECT_FALSE(plain.value);
  const MsrRule reads = rule("r:0x10-0x1f=0xffffffffffffffff");
  EXPECT_EQ(reads.first, 0x10U);
  EXPECT_EQ(reads.last, 0x1fU);
  EXPECT_TRUE(reads.reads && !reads.writes);
  EXPECT_EQ(reads.value, ~0ULL);
  const MsrRule writes = rule("w:0xc0000080");
  EXPECT_TRUE(!writes.reads && writes.writes);
}

TEST(Msr, RefusesWhatIsNoRule) {
  for (const char* text :
       {"", "=", "=1", "x", "1=", "r:", "r:=1", "w:1=2", "2-1", "1-", "-1", "1-2-3", "1=-1",
        "0x100000000", "1-0x100000000", "1=0x10000000000000000", "rw:1", "R:1", "1 "})
    EXPECT_FALSE(parse_msr(text)) << text;
}

TEST(Msr, RefusesTheX2apicsWhichKvmNeverFilters) {
  for (const char* text : {"0x800", "0x8ff", "0x7ff-0x800", "0x8ff-0x900", "0-0xffffffff"}) {
    const auto refused = parse_msr(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().why.find("x2APIC"), std::string::npos) << text;
  }
  EXPECT_TRUE(parse_msr("0x7ff"));
  EXPECT_TRUE(parse_msr("0x900"));
}

// What a filter lets through, as the kernel reads it.
bool passes(const kvm_msr_filter& filter, std::uint32_t index, std::uint32_t access) {
  for (const kvm_msr_filter_range& range : filter.ranges) {
    if ((range.flags & access) == 0 || index < range.base || index - range.base >= range.nmsrs)
      continue;
    const std::uint32_t bit = index - range.base;
    return (range.bitmap[bit / 8] >> bit % 8 & 1) != 0;
  }
  return true;
}

TEST(MsrFilter, KeepsJustWhatIsNamed) {
  auto built = MsrFilter::build(
      std::vector{rule("0x10"), rule("r:0x13=1"), rule("w:0x14-0x24"), rule("0xc0000080")});
  ASSERT_TRUE(built);
  const kvm_msr_filter filter = built->filter();
  EXPECT_EQ(filter.flags, KVM_MSR_FILTER_DEFAULT_ALLOW);
  for (std::uint32_t index = 0; index < 0x40; ++index) {
    const bool read = index == 0x10 || index == 0x13;
    const bool write = index == 0x10 || (index >= 0x14 && index <= 0x24);
    EXPECT_EQ(passes(filter, index, KVM_MSR_FILTER_READ), !read) << index;
    EXPECT_EQ(passes(filter, index, KVM_MSR_FILTER_WRITE), !write) << index;
  }
  for (const std::uint32_t access : {KVM_MSR_FILTER_READ, KVM_MSR_FILTER_WRITE}) {
    EXPECT_TRUE(passes(filter, 0xc000007f, access));
    EXPECT_FALSE(passes(filter, 0xc0000080, access));
    EXPECT_TRUE(passes(filter, 0xc0000081, access));
  }
}

TEST(MsrFilter, FarApartTakesRangesAndThereAreSixteen) {
  std::vector<MsrRule> rules;
  rules.reserve(17);
  for (int i = 0; i < 16; ++i) rules.push_back(rule(("r:" + std::to_string(i * 0x10000)).c_str()));
  EXPECT_TRUE(MsrFilter::build(rules));
  rules.push_back(rule("w:0x5"));
  const auto refused = MsrFilter::build(rules);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().why.find("16 ranges"), std::string::npos);
}

TEST(MsrFilter, NoBitmapIsLargerThanTheKernelTakes) {
  auto built = MsrFilter::build(std::vector{rule("r:0x10000-0x20000")});
  ASSERT_TRUE(built);
  const kvm_msr_filter filter = built->filter();
  std::uint32_t covered = 0;
  for (const kvm_msr_filter_range& range : filter.ranges) {
    EXPECT_LE(range.nmsrs, 0x600U * 8);
    covered += range.nmsrs;
  }
  EXPECT_EQ(covered, 0x10001U);
}

TEST(MsrFilter, RefusesTwoRulesForOneAccess) {
  EXPECT_FALSE(MsrFilter::build(std::vector{rule("1"), rule("1=2")}));
  EXPECT_FALSE(MsrFilter::build(std::vector{rule("1-5"), rule("w:5")}));
  EXPECT_TRUE(MsrFilter::build(std::vector{rule("r:1=1"), rule("w:1")}));
}

TEST(Msrs, ReadsAreAnsweredAndWritesKept) {
  Msrs msrs({rule("1=7"), rule("2"), rule("r:3=9"), rule("w:4")});
  EXPECT_EQ(msrs.read(1), 7U);
  EXPECT_EQ(msrs.read(2), std::nullopt);
  EXPECT_EQ(msrs.read(3), 9U);
  EXPECT_EQ(msrs.read(4), std::nullopt);
  EXPECT_EQ(msrs.read(5), std::nullopt);
  EXPECT_TRUE(msrs.write(1, 8));
  EXPECT_TRUE(msrs.write(2, 0));
  EXPECT_TRUE(msrs.write(2, 5));
  EXPECT_FALSE(msrs.write(3, 1));
  EXPECT_TRUE(msrs.write(4, 1));
  EXPECT_FALSE(msrs.write(5, 1));
  EXPECT_EQ(msrs.read(1), 8U);
  EXPECT_EQ(msrs.read(2), 5U);
  EXPECT_EQ(msrs.read(3), 9U);
  const auto written = msrs.written();
  ASSERT_EQ(written.size(), 3U);
  EXPECT_EQ(written.at(2).count, 2U);
  EXPECT_EQ(written.at(2).value, 5U);
}

}  // namespace
}  // namespace vmctl
