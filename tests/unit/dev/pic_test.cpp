// SPDX-License-Identifier: GPL-2.0
#include "dev/pic.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

#include "dev/ports.hpp"

namespace vmctl {
namespace {

constexpr unsigned kEnd = 0x20;
constexpr unsigned kEndSpecific = 0x60;
constexpr unsigned kRotateAutoEnd = 0x80;
constexpr unsigned kNoRotateAutoEnd = 0x00;
constexpr unsigned kEndRotate = 0xa0;
constexpr unsigned kSetLowest = 0xc0;
constexpr unsigned kEndSpecificRotate = 0xe0;
constexpr unsigned kReadRequests = 0x0a;
constexpr unsigned kReadService = 0x0b;
constexpr unsigned kPoll = 0x0c;
constexpr unsigned kSpecialMask = 0x68;
constexpr unsigned kNoSpecialMask = 0x48;
constexpr unsigned kAutoEnd = 0x02;
constexpr unsigned kFullyNested = 0x10;

class PicTest : public testing::Test {
 protected:
  PicTest() {
    pic.on_change([this] {
      ++changes;
      EXPECT_TRUE(pic.pending());
      pic.listens(0);  // hangs if the lock were held
    });
  }
  // As a PC's firmware does it: vectors 0x08 and 0x70.
  void initialise(unsigned icw1 = 0x11, unsigned icw4 = 0x01) {
    initialise(pic.master(), icw1, 0x08, 0x04, icw4);
    initialise(pic.slave(), icw1, 0x70, 0x02, icw4);
  }
  static void initialise(Device& chip, unsigned icw1, unsigned icw2, unsigned icw3, unsigned icw4) {
    test::out(chip, 0, icw1);
    test::out(chip, 1, icw2);
    if ((icw1 & 0x02) == 0) test::out(chip, 1, icw3);
    if ((icw1 & 0x01) != 0) test::out(chip, 1, icw4);
  }
  void command(unsigned value) { test::out(pic.master(), 0, value); }
  void mask(unsigned value) { test::out(pic.master(), 1, value); }
  static unsigned get(Device& chip, unsigned ocw3) {
    test::out(chip, 0, ocw3);
    return test::in(chip, 0);
  }
  unsigned requests() { return get(pic.master(), kReadRequests); }
  unsigned service() { return get(pic.master(), kReadService); }
  unsigned slave_requests() { return get(pic.slave(), kReadRequests); }
  unsigned slave_service() { return get(pic.slave(), kReadService); }
  void raise(std::initializer_list<unsigned> irqs) {
    for (const unsigned irq : irqs) pic.line(irq).set(true);
  }
  void lower(std::initializer_list<unsigned> irqs) {
    for (const unsigned irq : irqs) pic.line(irq).set(false);
  }
  // What is taken, in order, each ended so, until nothing is pending.
  std::vector<unsigned> take_all(unsigned end = kEnd) {
    std::vector<unsigned> vectors;
    while (pic.pending() && vectors.size() < 20) {
      vectors.push_back(pic.acknowledge().value());
      if (vectors.back() >= 0x70) test::out(pic.slave(), 0, end);
      command(end);
    }
    return vectors;
  }
  using Vectors = std::vector<unsigned>;
  Pic pic;
  int changes = 0;
};

TEST_F(PicTest, BeforeInitialisationEverythingIsMasked) {
  raise({0, 8});
  mask(0x00);
  test::out(pic.slave(), 1, 0x00);
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), std::nullopt);
  for (unsigned irq = 0; irq < 16; ++irq) EXPECT_FALSE(pic.listens(irq));
  mask(0xfb);  // which is kept all the same: so it is found to be there
  EXPECT_EQ(test::in(pic.master(), 1), 0xfb);
  EXPECT_EQ(changes, 0);
}

TEST_F(PicTest, NothingIsPendingUntilTheLastWordHasCome) {
  raise({1});
  test::out(pic.master(), 0, 0x19);  // level-triggered
  for (const unsigned word : {0x08U, 0x04U}) {
    EXPECT_FALSE(pic.pending());
    EXPECT_EQ(pic.acknowledge(), std::nullopt);
    EXPECT_FALSE(pic.listens(1));
    test::out(pic.master(), 1, word);
  }
  EXPECT_FALSE(pic.pending());
  test::out(pic.master(), 1, 0x01);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(changes, 1);
  test::out(pic.master(), 0, 0x19);
  EXPECT_FALSE(pic.pending());
}

TEST_F(PicTest, TwoWordsWillDo) {
  initialise(pic.master(), 0x1a, 0x20, 0, 0);  // single, no ICW4, level-triggered
  raise({3});
  EXPECT_EQ(pic.acknowledge(), 0x23);
  EXPECT_EQ(service(), 0x08U);
}

TEST_F(PicTest, InitialisationClears) {
  initialise(0x11, kFullyNested | kAutoEnd);
  mask(0xff);
  command(kSetLowest | 3);
  command(kRotateAutoEnd);
  command(kSpecialMask);
  raise({5});
  command(kReadService);
  initialise();
  EXPECT_EQ(test::in(pic.master(), 1), 0x00);
  EXPECT_EQ(test::in(pic.master(), 0), 0x00);  // requests: line 5 has to rise anew
  lower({5});
  raise({5, 7, 0});
  EXPECT_EQ(test::in(pic.master(), 0), 0xa1);
  EXPECT_EQ(pic.acknowledge(), 0x08);
  EXPECT_EQ(service(), 0x01U);
  mask(0x01);
  EXPECT_FALSE(pic.pending());  // in service and masked: still blocks
  command(kPoll);
  initialise();
  lower({0});
  raise({0});
  EXPECT_EQ(test::in(pic.master(), 1), 0x00);  // the mask, not a poll
  EXPECT_EQ(service(), 0x00U);
}

TEST_F(PicTest, WithoutTheFourthWordItsModesAreOff) {
  initialise(0x11, kFullyNested | kAutoEnd);
  initialise(0x10);
  raise({12});
  EXPECT_EQ(pic.acknowledge(), 0x74);
  EXPECT_EQ(service(), 0x04U);
  raise({9});
  EXPECT_FALSE(pic.pending());
}

TEST_F(PicTest, InitialisationEndsRotation) {
  test::out(pic.elcr(), 0, 0x18);
  initialise(0x11, kAutoEnd);
  command(kRotateAutoEnd);
  initialise(0x11, kAutoEnd);
  raise({3, 4});
  EXPECT_EQ(pic.acknowledge(), 0x0b);
  EXPECT_EQ(pic.acknowledge(), 0x0b);
}

TEST_F(PicTest, AnEdgeIsTakenOnce) {
  initialise();
  raise({4});
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(changes, 1);
  EXPECT_EQ(requests(), 0x10U);
  EXPECT_EQ(service(), 0x00U);
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(requests(), 0x00U);
  EXPECT_EQ(service(), 0x10U);
  raise({4});  // no edge
  command(kEnd);
  EXPECT_EQ(service(), 0x00U);
  EXPECT_FALSE(pic.pending());
  lower({4});
  raise({4});
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(changes, 2);
}

TEST_F(PicTest, AnEdgeDuringServiceComesAfterIt) {
  initialise();
  raise({4});
  pic.acknowledge();
  lower({4});
  raise({4});
  EXPECT_FALSE(pic.pending());
  command(kEnd);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(changes, 2);
}

TEST_F(PicTest, WhatIsGoneIsSpurious) {
  initialise();
  raise({4});
  lower({4});
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x0f);
  EXPECT_EQ(service(), 0x00U);
  raise({12});
  lower({12});
  EXPECT_EQ(pic.acknowledge(), 0x0f);
  EXPECT_EQ(service(), 0x00U);
  EXPECT_EQ(slave_service(), 0x00U);
}

TEST_F(PicTest, LevelsAreTakenAsLongAsTheyLast) {
  test::out(pic.elcr(), 0, 0x20);
  initialise();
  raise({5});
  EXPECT_EQ(pic.acknowledge(), 0x0d);
  EXPECT_EQ(requests(), 0x20U);
  EXPECT_FALSE(pic.pending());
  command(kEnd);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x0d);
  lower({5});
  command(kEnd);
  EXPECT_FALSE(pic.pending());
  raise({5});
  lower({5});
  EXPECT_EQ(pic.acknowledge(), 0x0f);
}

TEST_F(PicTest, LevelModeOfAllInputs) {
  initialise(0x19);
  raise({0});
  EXPECT_EQ(pic.acknowledge(), 0x08);
  command(kEnd);
  EXPECT_TRUE(pic.pending());
}

TEST_F(PicTest, SomeInputsCannotBeLevelTriggered) {
  std::array<std::uint8_t, 3> read{};
  pic.elcr().write(0, std::array<std::uint8_t, 3>{0xff, 0xff, 0xff});
  pic.elcr().read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 3>{0xf8, 0xde, 0xff}));
  initialise();
  EXPECT_EQ(test::in(pic.elcr(), 0), 0xf8);  // is no part of the chips
  test::out(pic.elcr(), 1, 0x00);
  EXPECT_EQ(test::in(pic.elcr(), 0), 0xf8);
  EXPECT_EQ(test::in(pic.elcr(), 1), 0x00);
}

TEST_F(PicTest, TheElcrTakesEffectAtOnce) {
  initialise();
  raise({11});
  take_all();
  EXPECT_FALSE(pic.pending());
  test::out(pic.elcr(), 1, 0x08);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x73);
}

TEST_F(PicTest, Masks) {
  initialise();
  mask(0x10);
  raise({4});
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(requests(), 0x10U);
  EXPECT_EQ(test::in(pic.master(), 1), 0x10);
  mask(0x00);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(changes, 1);
  mask(0x10);
  EXPECT_FALSE(pic.pending());
  raise({12});
  mask(0x14);
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(slave_requests(), 0x10U);
  mask(0x10);
  EXPECT_EQ(pic.acknowledge(), 0x74);
}

TEST_F(PicTest, Listens) {
  initialise();
  EXPECT_FALSE(pic.listens(2));
  EXPECT_FALSE(pic.listens(16));
  for (unsigned irq = 0; irq < 16; ++irq) EXPECT_EQ(pic.listens(irq), irq != 2) << irq;
  mask(0x01);
  test::out(pic.slave(), 1, 0x80);
  for (unsigned irq = 0; irq < 16; ++irq)
    EXPECT_EQ(pic.listens(irq), irq != 0 && irq != 2 && irq != 15) << irq;
  mask(0x04);
  for (unsigned irq = 0; irq < 16; ++irq) EXPECT_EQ(pic.listens(irq), irq < 8 && irq != 2) << irq;
  EXPECT_FALSE(pic.pending());  // service does not matter
}

TEST_F(PicTest, PriorityIsByNumberAndTheSlaveStandsForTwo) {
  initialise();
  raise({7, 15, 3, 8, 1, 0});
  EXPECT_EQ(take_all(), (Vectors{0x08, 0x09, 0x70, 0x77, 0x0b, 0x0f}));
}

TEST_F(PicTest, HigherInterruptsLowerAndNotTheOtherWayRound) {
  initialise();
  raise({4});
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  raise({5});
  EXPECT_FALSE(pic.pending());
  raise({3});
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x0b);
  EXPECT_EQ(service(), 0x18U);
  command(kEnd);  // the highest in service
  EXPECT_EQ(service(), 0x10U);
  EXPECT_FALSE(pic.pending());
  command(kEnd);
  EXPECT_EQ(pic.acknowledge(), 0x0d);
  command(kEndSpecific | 6);  // is not in service
  EXPECT_EQ(service(), 0x20U);
  command(kEndSpecific | 5);
  EXPECT_EQ(service(), 0x00U);
  command(kEnd);  // nothing to end
  EXPECT_EQ(service(), 0x00U);
}

TEST_F(PicTest, ASlavesRequestsNest) {
  initialise();
  raise({12});
  EXPECT_EQ(pic.acknowledge(), 0x74);
  EXPECT_EQ(service(), 0x04U);
  EXPECT_EQ(slave_service(), 0x10U);
  raise({9});
  EXPECT_FALSE(pic.pending());  // the master is in service of all the slave
  test::out(pic.slave(), 0, kEnd);
  EXPECT_FALSE(pic.pending());
  command(kEnd);
  EXPECT_EQ(pic.acknowledge(), 0x71);
}

TEST_F(PicTest, FullyNestedASlaveInterruptsItself) {
  initialise(0x11, 0x01 | kFullyNested);
  raise({12});
  EXPECT_EQ(pic.acknowledge(), 0x74);
  raise({13});
  EXPECT_FALSE(pic.pending());
  raise({9});
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x71);
  raise({4});
  lower({4});
  raise({3});
  EXPECT_FALSE(pic.pending());
}

TEST_F(PicTest, FullyNestedIsForSlavesOnly) {
  initialise(0x11, 0x01 | kFullyNested);
  raise({4});
  pic.acknowledge();
  lower({4});
  raise({4});
  EXPECT_FALSE(pic.pending());
}

TEST_F(PicTest, ASlavesNextRequestIsANewEdge) {
  initialise(0x11, 0x01 | kAutoEnd);  // so that its output would never fall
  raise({8, 9, 10});
  EXPECT_EQ(pic.acknowledge(), 0x70);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x71);
  EXPECT_EQ(pic.acknowledge(), 0x72);
  EXPECT_FALSE(pic.pending());
}

TEST_F(PicTest, WithoutASlaveInputTwoIsLikeOthers) {
  initialise();
  initialise(pic.master(), 0x11, 0x08, 0x00, 0x01);  // ICW3 names none
  raise({9});
  EXPECT_EQ(pic.acknowledge(), 0x0a);
  EXPECT_EQ(slave_service(), 0x00U);
  raise({2});  // leads nowhere
  lower({2});
  EXPECT_EQ(slave_requests(), 0x02U);
  lower({9});
  initialise(pic.master(), 0x13, 0x08, 0x04, 0x01);  // single
  raise({9});
  EXPECT_EQ(pic.acknowledge(), 0x0a);
}

TEST_F(PicTest, NobodyElseCanSetTheCascade) {
  initialise();
  raise({9});
  initialise(pic.master(), 0x11, 0x08, 0x04, 0x01);  // the slave's output has to rise anew
  raise({2});
  lower({2});
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(requests(), 0x00U);
}

TEST_F(PicTest, AutomaticEnd) {
  initialise(0x11, 0x01 | kAutoEnd);
  raise({4, 5});
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  EXPECT_EQ(service(), 0x00U);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x0d);
}

TEST_F(PicTest, AutomaticEndWithRotation) {
  test::out(pic.elcr(), 0, 0xf8);
  initialise(0x11, 0x01 | kAutoEnd);
  command(kRotateAutoEnd);
  raise({3, 4, 5});
  EXPECT_EQ(pic.acknowledge(), 0x0b);
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  EXPECT_EQ(pic.acknowledge(), 0x0d);
  EXPECT_EQ(pic.acknowledge(), 0x0b);
  command(kNoRotateAutoEnd);
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  EXPECT_EQ(pic.acknowledge(), 0x0c);
}

TEST_F(PicTest, RotationPutsWhatWasServedLast) {
  test::out(pic.elcr(), 0, 0xf8);
  initialise();
  raise({4, 6});
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  command(kEndRotate);
  EXPECT_EQ(pic.acknowledge(), 0x0e);
  command(kEndRotate);
  EXPECT_EQ(pic.acknowledge(), 0x0c);
  command(kEndSpecificRotate | 4);
  EXPECT_EQ(service(), 0x00U);
  EXPECT_EQ(pic.acknowledge(), 0x0e);
}

TEST_F(PicTest, LowestPriorityCanBeSet) {
  initialise();
  command(kSetLowest | 4);
  raise({0, 4, 5});
  EXPECT_EQ(take_all(), (Vectors{0x0d, 0x08, 0x0c}));
  command(0x40 | 3);  // no operation
  lower({0, 3, 4, 5});
  raise({0, 4, 5});
  EXPECT_EQ(take_all(), (Vectors{0x0d, 0x08, 0x0c}));
}

TEST_F(PicTest, NestingIsByTheRotatedPriority) {
  initialise();
  command(kSetLowest | 3);
  raise({6});
  EXPECT_EQ(pic.acknowledge(), 0x0e);
  raise({1});
  EXPECT_FALSE(pic.pending());
  raise({5});
  EXPECT_EQ(pic.acknowledge(), 0x0d);
  EXPECT_EQ(service(), 0x60U);
  command(kEnd);
  EXPECT_EQ(service(), 0x40U);
}

TEST_F(PicTest, SpecialMaskLetsLowerOnesIn) {
  initialise();
  raise({3});
  pic.acknowledge();
  raise({6});
  command(kSpecialMask);
  EXPECT_FALSE(pic.pending());
  mask(0x08);
  EXPECT_TRUE(pic.pending());
  EXPECT_EQ(pic.acknowledge(), 0x0e);
  command(kEnd);  // not the one that is masked
  EXPECT_EQ(service(), 0x08U);
  command(kEnd);
  EXPECT_EQ(service(), 0x08U);
  command(0x08);  // without its enable bit
  command(0x28);
  lower({6});
  raise({6});
  EXPECT_TRUE(pic.pending());
  command(kNoSpecialMask);
  EXPECT_FALSE(pic.pending());
  command(kEnd);
  EXPECT_TRUE(pic.pending());
}

TEST_F(PicTest, WhatIsReadStaysChosen) {
  initialise();
  raise({1});
  pic.acknowledge();
  raise({5});
  EXPECT_EQ(service(), 0x02U);
  command(0x08);  // says nothing of it
  EXPECT_EQ(test::in(pic.master(), 0), 0x02);
  EXPECT_EQ(requests(), 0x20U);
  EXPECT_EQ(test::in(pic.master(), 0), 0x20);
}

TEST_F(PicTest, PollTakesARequest) {
  initialise();
  command(kPoll);
  EXPECT_EQ(test::in(pic.master(), 0), 0x00);
  raise({4});
  EXPECT_EQ(test::in(pic.master(), 0), 0x10);  // a poll is one read
  command(kPoll);
  EXPECT_EQ(test::in(pic.master(), 1), 0x84);  // of either register
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(service(), 0x10U);
  EXPECT_EQ(test::in(pic.master(), 1), 0x00);
}

TEST_F(PicTest, PollsOfBothChips) {
  initialise(0x11, 0x01 | kAutoEnd);
  raise({9, 10});
  command(kPoll);
  EXPECT_EQ(test::in(pic.master(), 0), 0x82);
  test::out(pic.slave(), 0, kPoll);
  EXPECT_FALSE(pic.pending());
  EXPECT_EQ(test::in(pic.slave(), 0), 0x81);
  EXPECT_TRUE(pic.pending());  // the slave's next
  EXPECT_EQ(pic.acknowledge(), 0x72);
}

TEST_F(PicTest, VectorsTakeTheirLowBitsFromTheInput) {
  initialise(pic.master(), 0x11, 0xff, 0x04, 0x01);
  raise({0});
  EXPECT_EQ(pic.acknowledge(), 0xf8);
}

TEST_F(PicTest, WideAccessesTakeBothRegistersAndNoMore) {
  initialise();
  pic.master().write(0, std::array<std::uint8_t, 3>{kReadService, 0x55, 0x66});
  raise({1});
  pic.acknowledge();
  std::array<std::uint8_t, 3> read{};
  pic.master().read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 3>{0x02, 0x55, 0xff}));
}

TEST_F(PicTest, WorksWithoutAnybodyWaiting) {
  Pic alone;
  initialise(alone.master(), 0x11, 0x08, 0x04, 0x01);
  alone.line(0).set(true);
  EXPECT_TRUE(alone.pending());
  EXPECT_THROW(alone.line(16), std::out_of_range);
}

}  // namespace
}  // namespace vmctl
