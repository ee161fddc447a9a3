// SPDX-License-Identifier: GPL-2.0
#include "base/size.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace vmctl {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

struct Case {
  const char* text;
  std::uint64_t value;
};

class GoodNumber : public testing::TestWithParam<Case> {};
TEST_P(GoodNumber, IsRead) {
  const auto value = parse_number(GetParam().text);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(*value, GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(Size, GoodNumber,
                         testing::Values(Case{"0", 0}, Case{"1", 1}, Case{"007", 7}, Case{"0x0", 0},
                                         Case{"0x1000", 4096}, Case{"0XfF", 255},
                                         Case{"18446744073709551615", kMax},
                                         Case{"0xffffffffffffffff", kMax}));

class BadNumber : public testing::TestWithParam<const char*> {};
TEST_P(BadNumber, IsRefused) {
  const auto value = parse_number(GetParam());
  ASSERT_FALSE(value) << *value;
  EXPECT_EQ(value.error().status, Status::usage);
  EXPECT_FALSE(value.error().why.empty());
}
INSTANTIATE_TEST_SUITE_P(Size, BadNumber,
                         testing::Values("", " ", "-1", "+1", "1 ", " 1", "0x", "x10", "0x-1",
                                         "1.5", "12a", "0xg", "1e3", "18446744073709551616",
                                         "0x10000000000000000", "64M"));

class GoodSize : public testing::TestWithParam<Case> {};
TEST_P(GoodSize, IsRead) {
  const auto value = parse_size(GetParam().text);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_EQ(*value, GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(Size, GoodSize,
                         testing::Values(Case{"4096", 4096}, Case{"0x1000", 4096}, Case{"4K", 4096},
                                         Case{"4k", 4096}, Case{"64M", 64ULL << 20},
                                         Case{"2G", 2ULL << 30}, Case{"2g", 2ULL << 30},
                                         Case{"3T", 3ULL << 40}, Case{"0x10M", 16ULL << 20},
                                         Case{"0G", 0}, Case{"18014398509481983K", kMax - 1023},
                                         Case{"16777215T", kMax - (1ULL << 40) + 1}));

class BadSize : public testing::TestWithParam<const char*> {};
TEST_P(BadSize, IsRefused) {
  const auto value = parse_size(GetParam());
  ASSERT_FALSE(value) << *value;
  EXPECT_EQ(value.error().status, Status::usage);
  EXPECT_FALSE(value.error().why.empty());
}
INSTANTIATE_TEST_SUITE_P(Size, BadSize,
                         testing::Values("", "M", "-1M", "1MM", "1 M", "64MB", "64MiB", "1.5G",
                                         "18014398509481984K", "16777216T", "18446744073709551616",
                                         "1P"));

TEST(FormatSize, UsesTheLargestUnitThatDivides) {
  EXPECT_EQ(format_size(0), "0 bytes");
  EXPECT_EQ(format_size(1), "1 bytes");
  EXPECT_EQ(format_size(1023), "1023 bytes");
  EXPECT_EQ(format_size(1024), "1K");
  EXPECT_EQ(format_size(1025), "1025 bytes");
  EXPECT_EQ(format_size(1536), "1536 bytes");
  EXPECT_EQ(format_size(64ULL << 20), "64M");
  EXPECT_EQ(format_size(1ULL << 40), "1T");
}

}  // namespace
}  // namespace vmctl
