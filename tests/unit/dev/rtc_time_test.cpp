// SPDX-License-Identifier: GPL-2.0
#include "dev/rtc_time.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace vmctl {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr RtcFormat kBcd{.binary = false, .hours24 = true};
constexpr RtcFormat kBcd12{.binary = false, .hours24 = false};
constexpr RtcFormat kBinary{.binary = true, .hours24 = true};
constexpr RtcFormat kBinary12{.binary = true, .hours24 = false};

auto tie(const RtcBytes& b) {
  return std::tuple(+b.century, +b.year, +b.month, +b.day, +b.hour, +b.minute, +b.second,
                    +b.weekday);
}

TEST(RtcTime, FourFormats) {
  const sys_seconds time = sys_days(2026y / November / 21) + 17h + 48min + 39s;  // a Saturday
  EXPECT_EQ(tie(rtc_bytes(time, kBcd)), std::tuple(0x20, 0x26, 0x11, 0x21, 0x17, 0x48, 0x39, 0x07));
  EXPECT_EQ(tie(rtc_bytes(time, kBcd12)),
            std::tuple(0x20, 0x26, 0x11, 0x21, 0x85, 0x48, 0x39, 0x07));
  EXPECT_EQ(tie(rtc_bytes(time, kBinary)), std::tuple(20, 26, 11, 21, 17, 48, 39, 7));
  EXPECT_EQ(tie(rtc_bytes(time, kBinary12)), std::tuple(20, 26, 11, 21, 0x85, 48, 39, 7));
}

TEST(RtcTime, TwelveHours) {
  EXPECT_EQ(rtc_hour(0, kBcd12), 0x12);
  EXPECT_EQ(rtc_hour(1, kBcd12), 0x01);
  EXPECT_EQ(rtc_hour(11, kBcd12), 0x11);
  EXPECT_EQ(rtc_hour(12, kBcd12), 0x92);
  EXPECT_EQ(rtc_hour(13, kBcd12), 0x81);
  EXPECT_EQ(rtc_hour(23, kBcd12), 0x91);
  EXPECT_EQ(rtc_hour(0, kBinary12), 12);
  EXPECT_EQ(rtc_hour(23, kBinary12), 0x8b);
}

TEST(RtcTime, Weekdays) {
  EXPECT_EQ(rtc_bytes(sys_days(2026y / November / 22), kBcd).weekday, 1);  // Sunday
  EXPECT_EQ(rtc_bytes(sys_days(2026y / November / 23), kBcd).weekday, 2);
}

TEST(RtcTime, ThereAndBack) {
  for (const RtcFormat format : {kBcd, kBcd12, kBinary, kBinary12})
    for (sys_seconds time = kRtcFirst; time <= kRtcLast; time += seconds(98765432)) {
      ASSERT_EQ(rtc_time(rtc_bytes(time, format), format), time);
      const sys_seconds in_day = kRtcFirst + (time - kRtcFirst) % 86400;
      ASSERT_EQ(rtc_time(rtc_bytes(in_day, format), format), in_day);
    }
  EXPECT_EQ(rtc_time(rtc_bytes(kRtcLast, kBcd), kBcd), kRtcLast);
}

TEST(RtcTime, WhatDoesNotFitIsBroughtIntoItsRange) {
  const RtcBytes all{.second = 0xff,
                     .minute = 0xff,
                     .hour = 0xff,
                     .weekday = 0xff,
                     .day = 0xff,
                     .month = 0xff,
                     .year = 0xff,
                     .century = 0xff};
  for (const RtcFormat format : {kBcd, kBinary}) EXPECT_EQ(rtc_time(all, format), kRtcLast);
  for (const RtcFormat format : {kBcd12, kBinary12})
    EXPECT_EQ(rtc_time(all, format), kRtcLast - 11h);  // 12 in the afternoon
  const sys_seconds none = rtc_time({}, kBcd);
  EXPECT_EQ(none, kRtcFirst);  // day and month 0 are 1
  RtcBytes bytes = rtc_bytes(sys_days(2026y / February / 1), kBcd);
  bytes.day = 0x31;
  EXPECT_EQ(rtc_time(bytes, kBcd), sys_days(2026y / February / 28));
  bytes.year = 0x24;
  EXPECT_EQ(rtc_time(bytes, kBcd), sys_days(2024y / February / 29));
  bytes.day = 0x1a;  // 1 ten and 10
  EXPECT_EQ(rtc_time(bytes, kBcd), sys_days(2024y / February / 20));
  bytes.hour = 0x00;  // of twelve: 1
  EXPECT_EQ(rtc_time(bytes, kBcd12), sys_days(2024y / February / 20) + 1h);
  bytes.hour = 0x80;
  EXPECT_EQ(rtc_time(bytes, kBcd12), sys_days(2024y / February / 20) + 13h);
}

// Against trying each second of the day.
TEST(RtcTime, AlarmsAsTheyWouldBeFoundByWaiting) {
  const auto waited = [](RtcAlarm alarm, RtcFormat format, seconds time) {
    const auto matches = [](std::uint8_t byte, std::uint8_t shown) {
      return byte >= 0xc0 || byte == shown;
    };
    const auto now = static_cast<unsigned>(time.count());
    for (unsigned then = now + 1; then <= now + 86400; ++then)
      if (matches(alarm.second, rtc_number(then % 60, format)) &&
          matches(alarm.minute, rtc_number(then / 60 % 60, format)) &&
          matches(alarm.hour, rtc_hour(then / 3600 % 24, format)))
        return std::optional<seconds>(then - now);
    return std::optional<seconds>();
  };
  for (const RtcFormat format : {kBcd, kBinary12})
    for (const int hour : {0x00, 0x10, 0x8b, 0xff})
      for (const int minute : {0x00, 0x30, 0xc0})
        for (const int second : {0x00, 0x30, 0x0a, 0xff})
          for (const seconds time : {0s, 37799s, 37800s, 37829s, 37830s, 86399s}) {
            const RtcAlarm alarm{.second = static_cast<std::uint8_t>(second),
                                 .minute = static_cast<std::uint8_t>(minute),
                                 .hour = static_cast<std::uint8_t>(hour)};
            const sys_days day = 2026y / November / 21;
            ASSERT_EQ(rtc_until(alarm, format, day + time), waited(alarm, format, time))
                << hour << " " << minute << " " << second << " " << time.count();
          }
}

}  // namespace
}  // namespace vmctl
