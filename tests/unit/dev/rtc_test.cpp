// SPDX-License-Identifier: GPL-2.0
#include "dev/rtc.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "dev/fake_clock.hpp"
#include "dev/fake_line.hpp"
#include "dev/ports.hpp"

namespace vmctl {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr unsigned kA = 0x0a;
constexpr unsigned kB = 0x0b;
constexpr unsigned kC = 0x0c;
constexpr unsigned kD = 0x0d;
constexpr unsigned kSet = 0x80;
constexpr unsigned kPeriodic = 0x40;
constexpr unsigned kAlarm = 0x20;
constexpr unsigned kUpdate = 0x10;
constexpr unsigned kBinary = 0x04;
constexpr unsigned k24 = 0x02;
constexpr unsigned kRequest = 0x80;
constexpr unsigned kNoRate = 0x20;

const sys_seconds kStart = sys_days(2026y / December / 31) + 23h + 58min + 7s;

class RtcTest : public testing::Test {
 protected:
  unsigned get(unsigned index) {
    test::out(rtc, 0, index);
    return test::in(rtc, 1);
  }
  void set(unsigned index, unsigned value) {
    test::out(rtc, 0, index);
    test::out(rtc, 1, value);
  }
  // The machine's event loop: on to that time, the timer's handler called when it is due.
  void go_to(Time time) {
    while (timer.at && *timer.at <= time) {
      clock.time = std::max(clock.time, *timer.at);
      timer.at.reset();
      rtc.on_timer();
      ++wakes;
      ASSERT_LT(wakes, 100000);
    }
    clock.time = time;
  }
  void go(Time by) { go_to(clock.time + by); }
  // "20261231 235807 5", in hexadecimal as read.
  std::string shown() {
    std::string text;
    for (const unsigned index : {0x32U, 9U, 8U, 7U, 4U, 2U, 0U, 6U}) {
      if (index == 4 || index == 6) text += ' ';
      constexpr std::string_view kDigits = "0123456789abcdef";
      const unsigned value = get(index);
      if (index != 6) text += kDigits[value >> 4];
      text += kDigits[value & 15];
    }
    return text;
  }
  test::FakeClock clock;
  test::FakeTimer timer;
  test::FakeLine line;
  int wakes = 0;
  Rtc rtc{clock, timer, line, {.start = kStart, .memory_below_4g = 0, .memory_above_4g = 0}};
};

TEST_F(RtcTest, AtTheStart) {
  EXPECT_EQ(shown(), "20261231 235807 5");
  EXPECT_EQ(get(kA), 0x26U);
  EXPECT_EQ(get(kB), 0x02U);
  EXPECT_EQ(get(kC), 0x00U);
  EXPECT_EQ(get(kD), 0x80U);
  EXPECT_EQ(get(0x0e), 0x00U);
  EXPECT_EQ(get(0x0f), 0x00U);
  EXPECT_FALSE(timer.at);
  EXPECT_FALSE(rtc.may_interrupt());
}

TEST_F(RtcTest, TimeGoesOn) {
  go(999999999ns);
  EXPECT_EQ(shown(), "20261231 235807 5");
  go(1ns);
  EXPECT_EQ(shown(), "20261231 235808 5");
  go(112s);
  EXPECT_EQ(shown(), "20270101 000000 6");
  go(hours(24) * 365);
  EXPECT_EQ(shown(), "20280101 000000 7");
  go(hours(24) * 59);
  EXPECT_EQ(shown(), "20280229 000000 3");
  EXPECT_EQ(wakes, 0);
}

TEST_F(RtcTest, Formats) {
  go(1h);
  set(kB, kBinary | k24);
  EXPECT_EQ(shown(), "141b0101 003a07 6");
  set(kB, kBinary);
  EXPECT_EQ(shown(), "141b0101 0c3a07 6");
  set(kB, 0);
  EXPECT_EQ(shown(), "20270101 125807 6");
  go(15h);
  EXPECT_EQ(shown(), "20270101 835807 6");
  set(kB, k24);
  EXPECT_EQ(shown(), "20270101 155807 6");
}

TEST_F(RtcTest, IndexAndNmiMask) {
  EXPECT_FALSE(rtc.nmi_masked());
  set(0x80 | 0x40, 0x12);
  EXPECT_TRUE(rtc.nmi_masked());
  EXPECT_EQ(test::in(rtc, 0), 0xff);
  EXPECT_EQ(get(0x40), 0x12U);
  EXPECT_FALSE(rtc.nmi_masked());
}

TEST_F(RtcTest, TheRestIsMemory) {
  for (unsigned index = 0; index < 128; ++index) {
    if (index <= kD || index == 0x32) continue;
    set(index, index ^ 0x55U);
    ASSERT_EQ(get(index), index ^ 0x55U) << index;
  }
}

TEST_F(RtcTest, WideAccesses) {
  rtc.write(0, std::array<std::uint8_t, 3>{0x40, 0x34, 0x56});
  EXPECT_EQ(get(0x40), 0x34U);
  std::array<std::uint8_t, 3> read{};
  rtc.read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 3>{0xff, 0x34, 0xff}));
}

TEST_F(RtcTest, MemorySizes) {
  constexpr std::uint64_t kMiB = 1 << 20;
  const auto words = [&](std::uint64_t below, std::uint64_t above) {
    Rtc other(clock, timer, line,
              {.start = kStart, .memory_below_4g = below, .memory_above_4g = above});
    const auto byte = [&](unsigned index) {
      test::out(other, 0, index);
      return static_cast<unsigned>(test::in(other, 1));
    };
    return std::array{byte(0x16) << 8 | byte(0x15), byte(0x18) << 8 | byte(0x17),
                      byte(0x31) << 8 | byte(0x30), byte(0x35) << 8 | byte(0x34),
                      byte(0x5d) << 16 | byte(0x5c) << 8 | byte(0x5b)};
  };
  using Words = std::array<unsigned, 5>;
  EXPECT_EQ(words(0, 0), (Words{0, 0, 0, 0, 0}));
  EXPECT_EQ(words(64 << 10, 0), (Words{64, 0, 0, 0, 0}));
  EXPECT_EQ(words(kMiB, 0), (Words{640, 0, 0, 0, 0}));
  EXPECT_EQ(words(2 * kMiB, 0), (Words{640, 1024, 1024, 0, 0}));
  EXPECT_EQ(words(16 * kMiB, 0), (Words{640, 0x3c00, 0x3c00, 0, 0}));
  EXPECT_EQ(words(64 * kMiB, 0), (Words{640, 0x3c00, 63 * 1024, 48 * 16, 0}));
  EXPECT_EQ(words(3072 * kMiB, 5120 * kMiB), (Words{640, 0x3c00, 0xffff, 0xbf00, 0x14000}));
  EXPECT_EQ(words(~0ULL, ~0ULL), (Words{640, 0x3c00, 0xffff, 0xffff, 0xffffff}));
}

TEST_F(RtcTest, UpdateInProgressComesBeforeTheUpdate) {
  go(1s - 244us - 1984us - 1ns);
  EXPECT_EQ(get(kA), 0x26U);
  go(1ns);
  EXPECT_EQ(get(kA), 0xa6U);
  go(244us + 1984us - 1ns);
  EXPECT_EQ(get(kA), 0xa6U);
  EXPECT_EQ(get(0x00), 0x07U);
  go(1ns);
  EXPECT_EQ(get(kA), 0x26U);
  EXPECT_EQ(get(0x00), 0x08U);
  go(1s - 1us);
  set(kB, kSet | k24);
  EXPECT_EQ(get(kA), 0x26U);  // none will come
  set(kB, k24);
  set(kA, 0xe6);
  EXPECT_EQ(get(kA), 0x66U);
}

TEST_F(RtcTest, SetStopsUpdatesAndTheTimeCanBeWritten) {
  set(kB, kSet | k24);
  go(10s + 300ms);
  EXPECT_EQ(shown(), "20261231 235807 5");
  for (const auto& [index, value] : std::map<unsigned, unsigned>{{0, 0x30},
                                                                 {2, 0x15},
                                                                 {4, 0x06},
                                                                 {7, 0x29},
                                                                 {8, 0x02},
                                                                 {9, 0x96},
                                                                 {0x32, 0x19},
                                                                 {6, 0x01}})
    set(index, value);
  EXPECT_EQ(shown(), "19960229 061530 1");  // as written
  go(10s);
  EXPECT_EQ(shown(), "19960229 061530 1");
  set(kB, k24);
  EXPECT_EQ(shown(), "19960229 061530 5");  // a Thursday
  go(699999999ns);
  EXPECT_EQ(get(0), 0x30U);
  go(1ns);  // the updates' moment is as it was
  EXPECT_EQ(get(0), 0x31U);
}

TEST_F(RtcTest, TheTimeCanBeWrittenWhileItRuns) {
  set(4, 0x11);
  EXPECT_EQ(shown(), "20261231 115807 5");
  go(1s);
  EXPECT_EQ(shown(), "20261231 115808 5");
  set(0x32, 0x19);
  EXPECT_EQ(shown(), "19261231 115808 6");
}

TEST_F(RtcTest, NonsenseIsBroughtIntoRangeWhenUpdatesGoOn) {
  set(kB, kSet | k24);
  for (const unsigned index : {0U, 2U, 4U, 6U, 7U, 8U, 9U, 0x32U}) set(index, 0xff);
  EXPECT_EQ(shown(), "ffffffff ffffff f");
  set(kB, k24);
  EXPECT_EQ(shown(), "99991231 235959 6");
  go(1s);
  EXPECT_EQ(shown(), "00000101 000000 7");
  set(8, 0x13);
  EXPECT_EQ(get(8), 0x12U);
}

TEST_F(RtcTest, AStartOutOfRangeIsBroughtIntoIt) {
  Rtc early(clock, timer, line, {.start = sys_seconds::min()});
  Rtc late(clock, timer, line, {.start = sys_seconds::max()});
  test::out(early, 0, 9);
  test::out(late, 0, 9);
  EXPECT_EQ(test::in(early, 1), 0x00);
  EXPECT_EQ(test::in(late, 1), 0x99);
}

TEST_F(RtcTest, TheDividerHoldsEverythingInReset) {
  set(kB, k24 | kPeriodic | kUpdate);
  set(kA, 0x66);
  EXPECT_FALSE(timer.at);
  EXPECT_FALSE(rtc.may_interrupt());
  go(10s + 123ms);
  EXPECT_EQ(shown(), "20261231 235807 5");
  EXPECT_EQ(get(kC), 0x00U);
  set(0, 0x20);
  set(kA, 0x20);
  EXPECT_EQ(get(0), 0x20U);
  EXPECT_EQ(timer.at, clock.time + 500ms);  // the first update
  go(500ms);
  EXPECT_EQ(get(0), 0x21U);
  EXPECT_TRUE(line.high);
}

TEST_F(RtcTest, AllOtherDividersRun) {
  set(kB, kBinary | k24);
  for (const unsigned divider : {0x00U, 0x10U, 0x20U, 0x30U, 0x40U, 0x50U}) {
    const unsigned before = get(0);
    set(kA, divider | 0x06);
    EXPECT_EQ(get(kA), divider | 0x06);
    go(1s);
    EXPECT_EQ(get(0), before + 1);
  }
  set(kA, 0x76);
  go(1s);
  EXPECT_EQ(get(0), 13U);
}

TEST_F(RtcTest, PeriodicRates) {
  // In nanoseconds, rounded up: 32768 Hz divided by 2^7, 2^8, 2^2, 2^3 and so on.
  constexpr std::array<std::int64_t, 16> kPeriods{
      0,       3906250, 7812500,  122071,   244141,   488282,    976563,    1953125,
      3906250, 7812500, 15625000, 31250000, 62500000, 125000000, 250000000, 500000000};
  set(kB, k24 | kPeriodic);
  for (unsigned rate = 1; rate < 16; ++rate) {
    set(kA, 0x60);  // the chain begins anew
    set(kA, 0x20 | rate);
    get(kC);
    ASSERT_TRUE(timer.at) << rate;
    // Half a second of the chain has gone, a whole number of periods.
    EXPECT_EQ((*timer.at - clock.time).count(), kPeriods[rate]) << rate;
  }
  set(kA, 0x20);
  EXPECT_FALSE(timer.at);
  EXPECT_FALSE(rtc.may_interrupt());
}

TEST_F(RtcTest, PeriodicInterruptsNeverDrift) {
  set(kB, k24 | kPeriodic);  // 1024 Hz
  int interrupts = 0;
  while (clock.time < 10s) {
    ASSERT_TRUE(timer.at);
    clock.time = *timer.at + 100us;  // late
    timer.at.reset();
    rtc.on_timer();
    EXPECT_TRUE(line.high);
    EXPECT_FALSE(timer.at);  // not before the flags have been read
    EXPECT_EQ(get(kC) & (kRequest | kPeriodic), kRequest | kPeriodic);
    EXPECT_FALSE(line.high);
    ++interrupts;
  }
  EXPECT_EQ(interrupts, 10240);
}

TEST_F(RtcTest, MissedPeriodsAreOne) {
  set(kB, k24 | kPeriodic);
  go(100ms + 300us);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(line.rises, 1);
  EXPECT_EQ(get(kC), kRequest | kPeriodic);
  EXPECT_EQ(timer.at, Time(103'000'000'000 / 1024 + 1));  // on the grid, rounded up
  EXPECT_EQ(get(kC), 0x00U);
}

TEST_F(RtcTest, FlagsComeWithoutInterruptsToo) {
  set(1, 0x09);
  set(3, 0xff);
  set(5, 0xff);
  EXPECT_FALSE(timer.at);
  go(1s);
  EXPECT_EQ(get(kC), kPeriodic | kUpdate);
  go(900us);
  EXPECT_EQ(get(kC), 0x00U);
  go(1s);
  EXPECT_EQ(get(kC), kPeriodic | kAlarm | kUpdate);
  EXPECT_EQ(get(kC), 0x00U);
  set(kA, kNoRate);
  go(500ms);
  EXPECT_EQ(get(kC), 0x00U);
  set(kB, k24 | kSet);
  go(10s);
  EXPECT_EQ(get(kC), 0x00U);
  EXPECT_EQ(line.rises, 0);
  EXPECT_EQ(wakes, 0);
}

TEST_F(RtcTest, PeriodicGoesOnWithoutUpdates) {
  set(kB, k24 | kSet | kPeriodic);
  go(1s);
  EXPECT_EQ(get(kC), kRequest | kPeriodic);
}

TEST_F(RtcTest, EnablingWhatIsPendingInterruptsAtOnce) {
  for (const unsigned bit : {kPeriodic, kAlarm, kUpdate}) {
    for (const unsigned index : {1U, 3U, 5U}) set(index, 0xc0);
    go(2s);
    set(kB, k24 | bit);
    EXPECT_TRUE(line.high) << bit;
    EXPECT_FALSE(timer.at);
    set(kB, k24);
    EXPECT_FALSE(line.high) << bit;
    get(kC);
  }
}

TEST_F(RtcTest, UpdateEndedInterrupt) {
  go(250ms);
  set(kB, k24 | kUpdate);
  EXPECT_TRUE(rtc.may_interrupt());
  EXPECT_EQ(timer.at, 1s);
  go(750ms);
  EXPECT_TRUE(line.high);
  EXPECT_TRUE(rtc.may_interrupt());
  EXPECT_EQ(get(0), 0x08U);
  EXPECT_EQ(get(kC), kRequest | kUpdate | kPeriodic);
  EXPECT_EQ(timer.at, 2s);
  set(kB, k24 | kSet | kUpdate);  // SET disables it
  EXPECT_EQ(get(kB), k24 | kSet);
  EXPECT_FALSE(timer.at);
  EXPECT_FALSE(rtc.may_interrupt());
}

TEST_F(RtcTest, WhatWasRaisedLastsUntilItIsRead) {
  set(kB, k24 | kPeriodic);
  go(1s);
  set(kA, kNoRate);
  EXPECT_TRUE(line.high);
  EXPECT_TRUE(rtc.may_interrupt());
  get(kC);
  EXPECT_FALSE(line.high);
  EXPECT_FALSE(rtc.may_interrupt());
}

TEST_F(RtcTest, AlarmInterrupt) {
  set(1, 0x30);
  set(3, 0x01);
  set(5, 0x00);
  set(kB, k24 | kAlarm);
  EXPECT_EQ(timer.at, 3min + 23s);
  EXPECT_TRUE(rtc.may_interrupt());
  go_to(3min + 22s);
  EXPECT_FALSE(line.high);
  go(1s);
  EXPECT_TRUE(line.high);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(get(kC), kRequest | kAlarm | kPeriodic | kUpdate);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(timer.at, 24h + 3min + 23s);
}

TEST_F(RtcTest, AlarmsOfEveryKind) {
  const auto alarm = [&](unsigned hour, unsigned minute, unsigned second) {
    set(5, hour);
    set(3, minute);
    set(1, second);
    return timer.at ? *timer.at : Time(-1);
  };
  set(kB, k24 | kAlarm);  // it is 23:58:07
  EXPECT_EQ(alarm(0xff, 0xff, 0xff), 1s);
  EXPECT_EQ(alarm(0xc0, 0xc0, 0xc0), 1s);
  EXPECT_EQ(alarm(0xff, 0xff, 0x07), 60s);
  EXPECT_EQ(alarm(0xff, 0x59, 0xff), 53s);
  EXPECT_EQ(alarm(0xff, 0x00, 0x00), 113s);
  EXPECT_EQ(alarm(0x00, 0xff, 0x00), 113s);
  EXPECT_EQ(alarm(0x22, 0xff, 0xff), 22h + 113s);
  EXPECT_EQ(alarm(0x23, 0x58, 0x07), 24h);
  EXPECT_EQ(alarm(0x23, 0x58, 0x08), 1s);
  EXPECT_EQ(alarm(0xbf, 0xff, 0xff), -1ns);  // never
  EXPECT_FALSE(rtc.may_interrupt());
  EXPECT_EQ(alarm(0xff, 0xff, 0x60), -1ns);
  EXPECT_EQ(alarm(0xff, 0x0a, 0xff), -1ns);
  set(kB, kAlarm | kBinary);
  EXPECT_EQ(alarm(12, 0, 0), 113s);
  EXPECT_EQ(alarm(0x80 | 11, 58, 8), 1s);
}

TEST_F(RtcTest, AnAlarmLongPastWasSeen) {
  set(5, 0x12);
  set(3, 0x00);
  set(1, 0x00);
  go(12h);
  EXPECT_EQ(get(kC) & kAlarm, 0U);
  go(1h);
  EXPECT_EQ(get(kC) & kAlarm, kAlarm);
  go(24h);
  EXPECT_EQ(get(kC) & kAlarm, kAlarm);
}

TEST_F(RtcTest, AWrittenTimeMovesTheAlarm) {
  set(5, 0xff);
  set(3, 0x30);
  set(1, 0x00);
  set(kB, k24 | kAlarm);
  EXPECT_EQ(timer.at, 31min + 53s);
  set(2, 0x29);
  EXPECT_EQ(timer.at, 53s);
  set(kB, k24 | kAlarm | kSet);
  EXPECT_FALSE(timer.at);
  EXPECT_FALSE(rtc.may_interrupt());
}

TEST_F(RtcTest, TheTimerMayComeAtAnyTime) {
  set(kB, k24 | kUpdate);
  clock.time = 500ms;
  timer.at.reset();
  rtc.on_timer();  // too early
  EXPECT_FALSE(line.high);
  EXPECT_EQ(timer.at, 1s);
  set(kB, k24);
  EXPECT_FALSE(timer.at);
  clock.time = 2s;
  rtc.on_timer();  // although it was stopped
  EXPECT_FALSE(line.high);
  EXPECT_FALSE(timer.at);
}

TEST_F(RtcTest, TheTimerIsNotSetToWhatItIs) {
  get(kC);
  EXPECT_EQ(timer.calls, 0);
  set(kB, k24 | kUpdate);
  EXPECT_EQ(timer.calls, 1);
  get(kC);
  set(0x01, 0x00);
  EXPECT_EQ(timer.calls, 1);
}

TEST_F(RtcTest, EachByteAloneIsOfNow) {
  const std::map<unsigned, unsigned> bytes{{0, 0x08}, {2, 0x59}, {4, 0x23}, {6, 0x07},
                                           {7, 0x02}, {8, 0x01}, {9, 0x00}, {0x32, 0x21}};
  for (const auto& [index, value] : bytes) {
    Rtc other(clock, timer, line, {.start = sys_days(2099y / December / 31) + 22h + 58min + 7s});
    clock.time += hours(49) + 61s;
    test::out(other, 0, index);
    EXPECT_EQ(test::in(other, 1), value) << index;
    clock.time = 0s;
  }
}

TEST_F(RtcTest, StatusRegistersAreForReading) {
  go(1s);
  set(kC, 0x00);
  set(kD, 0x00);
  EXPECT_EQ(get(kD), 0x80U);
  EXPECT_EQ(get(kC), kPeriodic | kUpdate);
  set(kB, 0x0f);  // square wave and daylight saving are kept
  EXPECT_EQ(get(kB), 0x0fU);
}

TEST_F(RtcTest, StillRightAfterCenturies) {
  set(kB, k24 | kPeriodic | kUpdate);
  clock.time = hours(24) * 100000;
  timer.at.reset();
  rtc.on_timer();
  EXPECT_EQ(get(kC) & kRequest, kRequest);
  EXPECT_EQ(timer.at, clock.time + 976563ns);
  EXPECT_EQ(shown(), "23001016 235807 3");
}

}  // namespace
}  // namespace vmctl
