// SPDX-License-Identifier: GPL-2.0
// Time as a real-time clock's bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace vmctl {

struct RtcFormat {
  bool binary;   // else BCD
  bool hours24;  // else 1 to 12, bit 7 set in the afternoon
};

struct RtcBytes {
  std::uint8_t second;
  std::uint8_t minute;
  std::uint8_t hour;
  std::uint8_t weekday;  // Sunday is 1
  std::uint8_t day;
  std::uint8_t month;
  std::uint8_t year;
  std::uint8_t century;
};

// Earliest and latest that can be shown.
inline constexpr std::chrono::sys_seconds kRtcFirst =
    std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
inline constexpr std::chrono::sys_seconds kRtcLast =
    std::chrono::sys_days(std::chrono::year(9999) / 12 / 31) + std::chrono::hours(24) -
    std::chrono::seconds(1);

std::uint8_t rtc_number(unsigned value, RtcFormat format);
std::uint8_t rtc_hour(unsigned hour, RtcFormat format);

// Beyond the years 0 to 9999 the century begins anew.
RtcBytes rtc_bytes(std::chrono::sys_seconds time, RtcFormat format);

// Whatever the bytes: a number too small or too large is the smallest or largest there is, and a
// nibble above 9 in BCD counts as what it is. The weekday does not matter.
std::chrono::sys_seconds rtc_time(const RtcBytes& bytes, RtcFormat format);

// What an alarm's three bytes match: a byte from 0xc0 on every second, minute or hour; any other
// the one that is shown so, if there is one.
struct RtcAlarm {
  std::uint8_t second;
  std::uint8_t minute;
  std::uint8_t hour;
};

// How long from that time, not counting itself, to the next that matches: a day at most.
std::optional<std::chrono::seconds> rtc_until(RtcAlarm alarm, RtcFormat format,
                                              std::chrono::sys_seconds time);

}  // namespace vmctl
