// SPDX-License-Identifier: GPL-2.0
#include "bus/memory.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vmctl {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(GuestMemory, TheDoorIsAsWideAsTheMemory) {
  const auto memory = GuestMemory::create(4 * kPage, {16 * kPage}, {32 * kPage});
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->low_end(), 4 * kPage);
  EXPECT_EQ(memory->regions().size(), 1U);
  EXPECT_EQ(memory->span({0}, 4 * kPage)->size(), 4 * kPage);
  EXPECT_EQ(memory->span({4 * kPage - 1}, 1)->size(), 1U);
  EXPECT_EQ(memory->span({4 * kPage}, 0)->size(), 0U);
  EXPECT_FALSE(memory->span({0}, 4 * kPage + 1));
  EXPECT_FALSE(memory->span({4 * kPage - 1}, 2));
  EXPECT_FALSE(memory->span({4 * kPage}, 1));
  EXPECT_FALSE(memory->span({kMax}, 1));
  EXPECT_FALSE(memory->span({1}, kMax));
  EXPECT_FALSE(memory->span({kMax}, kMax));
}

TEST(GuestMemory, GoesOnAboveTheHole) {
  const auto memory = GuestMemory::create(6 * kPage, {4 * kPage}, {8 * kPage});
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->regions().size(), 2U);
  EXPECT_EQ(memory->regions()[1].gpa, GuestAddr{8 * kPage});
  EXPECT_TRUE(memory->span({8 * kPage}, 2 * kPage));
  EXPECT_FALSE(memory->span({8 * kPage}, 2 * kPage + 1));
  EXPECT_FALSE(memory->span({4 * kPage - 1}, 2));  // into the hole
  EXPECT_FALSE(memory->span({4 * kPage}, 1));
  EXPECT_FALSE(memory->span({7 * kPage}, 2 * kPage));
}

TEST(GuestMemory, ExactlyUpToTheHole) {
  const auto memory = GuestMemory::create(4 * kPage, {4 * kPage}, {8 * kPage});
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->regions().size(), 1U);
}

TEST(GuestMemory, StartsZeroed) {
  const auto memory = GuestMemory::create(kPage, {kPage}, {2 * kPage});
  ASSERT_TRUE(memory);
  const auto page = memory->span({0}, kPage);
  ASSERT_TRUE(page);
  for (const std::uint8_t byte : *page) ASSERT_EQ(byte, 0);
}

TEST(GuestMemory, WhatIsLargeIsAlignedAsTheGuestSeesIt) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const auto memory = GuestMemory::create(256 * kMiB, {128 * kMiB}, {4096 * kMiB});
  ASSERT_TRUE(memory);
  for (const MemoryRegion& region : memory->regions())
    EXPECT_EQ(
        (reinterpret_cast<std::uintptr_t>(region.bytes.data()) - region.gpa.value) % kHugePage, 0U);
}

TEST(GuestMemory, MoreThanThereCanBe) {
  const auto memory = GuestMemory::create(1ULL << 62, {kPage}, {2 * kPage});
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().status, Status::unavailable);
  EXPECT_NE(memory.error().advice.find("--mem"), std::string::npos);
}

}  // namespace
}  // namespace vmctl
