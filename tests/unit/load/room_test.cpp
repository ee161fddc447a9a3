// SPDX-License-Identifier: GPL-2.0
#include "load/room.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace vmctl {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
// 0x1000 to 0x9fff, and 0x100000 to 0x1fffff.
const std::array<Room::Range, 2> kMemory{{{{0x100000}, 0x100000}, {{0x1000}, 0x9000}}};

std::string why(const Result<>& result) {
  return result ? "" : result.error().why;
}

TEST(Room, ToTheLastByteOfEachRangeAndNoFurther) {
  EXPECT_TRUE(Room(kMemory).take("all", {0x1000}, 0x9000));
  EXPECT_TRUE(Room(kMemory).take("all", {0x100000}, 0x100000));
  EXPECT_FALSE(Room(kMemory).take("below", {0xfff}, 2));
  EXPECT_FALSE(Room(kMemory).take("beyond", {0x9fff}, 2));
  EXPECT_FALSE(Room(kMemory).take("between", {0x20000}, 1));
  EXPECT_FALSE(Room(kMemory).take("across", {0x9000}, 0x100000));
  EXPECT_FALSE(Room(kMemory).take("last", {0x200000}, 1));
}

TEST(Room, SaysWhatIsInTheWay) {
  Room room(kMemory);
  ASSERT_TRUE(room.take("the kernel", {0x2000}, 0x1000));
  EXPECT_EQ(why(room.take("x", {0x2fff}, 1)), "it overlaps the kernel at 0x2000 to 0x2fff");
  EXPECT_EQ(why(room.take("x", {0x1fff}, 2)), "it overlaps the kernel at 0x2000 to 0x2fff");
  EXPECT_EQ(why(room.take("x", {0x1000}, 0x9000)), "it overlaps the kernel at 0x2000 to 0x2fff");
  EXPECT_EQ(why(room.take("x", {0x9fff}, 2)),
            "there is memory at 0x1000 to 0x9fff, 0x100000 to 0x1fffff only");
  EXPECT_TRUE(room.take("before", {0x1000}, 0x1000));
  EXPECT_TRUE(room.take("after", {0x3000}, 0x1000));
  EXPECT_EQ(room.taken().size(), 3U);
}

TEST(Room, WhatWrapsIsNowhere) {
  Room room(kMemory);
  EXPECT_EQ(why(room.take("x", {kMax}, 2)), "address and size together are more than 64 bits hold");
  EXPECT_EQ(why(room.take("x", {0x1000}, kMax)),
            "address and size together are more than 64 bits hold");
}

TEST(Room, NothingTakesNoRoom) {
  Room room(kMemory);
  ASSERT_TRUE(room.take("a", {0x2000}, 0x1000));
  EXPECT_TRUE(room.take("empty", {0x2800}, 0));
  EXPECT_EQ(room.taken().size(), 1U);
}

TEST(Room, RangesThatTouchAreOne) {
  const std::array<Room::Range, 3> pieces{{{{0x3000}, 0x1000}, {{0x2000}, 0x1000}, {{0x5000}, 0}}};
  Room room(pieces);
  EXPECT_TRUE(room.take("both", {0x2000}, 0x2000));
  EXPECT_EQ(Room(pieces).end_of({0x2000}), GuestAddr{0x4000});
  EXPECT_EQ(Room(pieces).end_of({0x5000}), GuestAddr{0x5000});
}

TEST(Room, PlacesFromBothEnds) {
  Room room(kMemory);
  ASSERT_TRUE(room.take("taken", {0x1000}, 0x10));
  EXPECT_EQ(*room.place("low", 0x100, 0x100, {0}, {0x100000}), GuestAddr{0x1100});
  EXPECT_EQ(*room.place("high", 0x100, 0x1000, {0}, {kMax}, Room::From::top), GuestAddr{0x1ff000});
  EXPECT_EQ(*room.place("under", 0x100, 0x1000, {0}, {kMax}, Room::From::top), GuestAddr{0x1fe000});
  EXPECT_EQ(*room.place("under a limit", 0x800, 0x800, {0}, {0x150000}, Room::From::top),
            GuestAddr{0x14f800});
  EXPECT_EQ(*room.place("above", 1, 1, {0x2345}, {kMax}), GuestAddr{0x2345});
}

TEST(Room, FillsEachGapToTheLastByte) {
  Room room(kMemory);
  ASSERT_TRUE(room.take("middle", {0x4000}, 0x1000));
  EXPECT_EQ(*room.place("first gap", 0x3000, 1, {0}, {0x10000}), GuestAddr{0x1000});
  EXPECT_EQ(*room.place("second gap", 0x5000, 1, {0}, {0x10000}), GuestAddr{0x5000});
  const auto none = room.place("one more", 1, 1, {0}, {0x10000});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().where, "0x1 bytes between 0x0 and 0x10000");
}

TEST(Room, AlignmentCountsAsRoom) {
  const std::array<Room::Range, 1> small{{{{0x1001}, 0x1000}}};
  EXPECT_FALSE(Room(small).place("x", 2, 0x1000, {0}, {kMax}));
  EXPECT_EQ(*Room(small).place("x", 1, 0x1000, {0}, {kMax}), GuestAddr{0x2000});
  EXPECT_FALSE(Room(small).place("x", kMax, 0x1000, {0}, {kMax}));
}

}  // namespace
}  // namespace vmctl
