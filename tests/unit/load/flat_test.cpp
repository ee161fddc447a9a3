// SPDX-License-Identifier: GPL-2.0
#include "load/flat.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vmctl {
namespace {

constexpr std::uint64_t kMemory = 64ULL << 20;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(FlatPlan, OneSegmentAndTheEntryAtItsStart) {
  const auto plan = plan_flat({.at = {{0x1000}}, .entry = {}}, 12, kMemory);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->segments.size(), 1U);
  EXPECT_EQ(plan->segments[0].offset, 0U);
  EXPECT_EQ(plan->segments[0].length, 12U);
  EXPECT_EQ(plan->segments[0].gpa, GuestAddr{0x1000});
  EXPECT_EQ(plan->entry.address, GuestAddr{0x1000});
}

TEST(FlatPlan, FitsToTheLastByte) {
  EXPECT_TRUE(plan_flat({.at = {{0}}, .entry = {}}, kMemory, kMemory));
  EXPECT_TRUE(plan_flat({.at = {{0x1000}}, .entry = {}}, kMemory - 0x1000, kMemory));
  EXPECT_TRUE(plan_flat({.at = {{kMemory - 16}}, .entry = {}}, 16, kMemory));
}

TEST(Flat, AboveTheFirstPageIfNothingElseIsSaid) {
  const auto plan = plan_flat({}, 12, kMemory);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->segments.front().gpa, GuestAddr{0x1000});
  EXPECT_EQ(plan->entry.address, GuestAddr{0x1000});
}

struct Case {
  const char* name;
  FlatRequest request;
  std::uint64_t size;
  Status status;
};

class BadFlat : public testing::TestWithParam<Case> {};
TEST_P(BadFlat, IsRefused) {
  const auto plan = plan_flat(GetParam().request, GetParam().size, kMemory);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().status, GetParam().status) << plan.error().text();
  EXPECT_FALSE(plan.error().why.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Flat, BadFlat,
    testing::Values(
        Case{"one_byte_too_long", {.at = {{0}}, .entry = {}}, kMemory + 1, Status::bad_image},
        Case{
            "one_too_long_at", {.at = {{0x1000}}, .entry = {}}, kMemory - 0xfff, Status::bad_image},
        Case{"huge", {.at = {{0x1000}}, .entry = {}}, kMax, Status::bad_image},
        Case{"empty", {.at = {{0x1000}}, .entry = {}}, 0, Status::bad_image},
        Case{"unaligned", {.at = {{0x1001}}, .entry = {}}, 1, Status::usage},
        Case{"half_paragraph", {.at = {{0x1008}}, .entry = {}}, 1, Status::usage},
        Case{"at_end", {.at = {{kMemory}}, .entry = {}}, 1, Status::usage},
        Case{"beyond_end", {.at = {{kMemory + 16}}, .entry = {}}, 1, Status::usage},
        Case{"at_top", {.at = {{kMax - 15}}, .entry = {}}, 16, Status::usage},
        Case{"entry_before", {.at = {{0x1000}}, .entry = {{0xfff}}}, 16, Status::usage},
        Case{"entry_after", {.at = {{0x1000}}, .entry = {{0x1010}}}, 16, Status::usage},
        Case{"entry_at_top", {.at = {{0x1000}}, .entry = {{kMax}}}, 16, Status::usage}),
    [](const auto& tested) { return tested.param.name; });

TEST(FlatPlan, EntryMayBeAnywhereInTheImage) {
  for (const std::uint64_t entry : {0x1000ULL, 0x1001ULL, 0x100fULL}) {
    const auto plan = plan_flat({.at = {{0x1000}}, .entry = {{entry}}}, 16, kMemory);
    ASSERT_TRUE(plan) << entry;
    EXPECT_EQ(plan->entry.address, GuestAddr{entry});
  }
}

}  // namespace
}  // namespace vmctl
