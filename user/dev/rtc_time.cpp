// SPDX-License-Identifier: GPL-2.0
#include "dev/rtc_time.hpp"

#include <algorithm>

namespace vmctl {
namespace {

constexpr std::uint8_t kAfternoon = 0x80;

constexpr std::uint8_t kAlarmAny = 0xc0;

unsigned number(std::uint8_t byte, RtcFormat format, unsigned least, unsigned most) {
  const unsigned value = format.binary ? byte : (byte >> 4U) * 10U + (byte & 0x0fU);
  return std::clamp(value, least, most);
}

unsigned hour(std::uint8_t byte, RtcFormat format) {
  if (format.hours24) return number(byte, format, 0, 23);
  const auto shown = static_cast<std::uint8_t>(byte & ~kAfternoon);
  return number(shown, format, 1, 12) % 12 + ((byte & kAfternoon) != 0 ? 12 : 0);
}

// The least from `value` on that the alarm matches; `count` if there is none.
template <class Show>
unsigned match(std::uint8_t alarm, unsigned value, unsigned count, Show show) {
  if (alarm >= kAlarmAny) return value;
  while (value < count && show(value) != alarm) ++value;
  return value;
}

}  // namespace

std::uint8_t rtc_number(unsigned value, RtcFormat format) {
  return static_cast<std::uint8_t>(format.binary ? value : value / 10 << 4 | value % 10);
}

std::uint8_t rtc_hour(unsigned hour, RtcFormat format) {
  if (format.hours24) return rtc_number(hour, format);
  const std::uint8_t shown = rtc_number((hour + 11) % 12 + 1, format);
  return hour < 12 ? shown : shown | kAfternoon;
}

RtcBytes rtc_bytes(std::chrono::sys_seconds time, RtcFormat format) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  return {
      .second = rtc_number(static_cast<unsigned>(clock.seconds().count()), format),
      .minute = rtc_number(static_cast<unsigned>(clock.minutes().count()), format),
      .hour = rtc_hour(static_cast<unsigned>(clock.hours().count()), format),
      .weekday = rtc_number(weekday(day).c_encoding() + 1, format),
      .day = rtc_number(static_cast<unsigned>(date.day()), format),
      .month = rtc_number(static_cast<unsigned>(date.month()), format),
      .year = rtc_number(year % 100, format),
      .century = rtc_number(year / 100 % 100, format),
  };
}

std::chrono::sys_seconds rtc_time(const RtcBytes& bytes, RtcFormat format) {
  using namespace std::chrono;
  const unsigned of_era =
      number(bytes.century, format, 0, 99) * 100 + number(bytes.year, format, 0, 99);
  const year_month month =
      year(static_cast<int>(of_era)) / static_cast<int>(number(bytes.month, format, 1, 12));
  const auto last = static_cast<unsigned>((month / std::chrono::last).day());
  const sys_days date = month / static_cast<int>(number(bytes.day, format, 1, last));
  return date + hours(hour(bytes.hour, format)) + minutes(number(bytes.minute, format, 0, 59)) +
         seconds(number(bytes.second, format, 0, 59));
}

std::optional<std::chrono::seconds> rtc_until(RtcAlarm alarm, RtcFormat format,
                                              std::chrono::sys_seconds time) {
  using namespace std::chrono;
  constexpr unsigned kHours = 24;
  constexpr unsigned kSixty = 60;
  const auto of_sixty = [&](std::uint8_t byte, unsigned from) {
    return match(byte, from, kSixty, [&](unsigned value) { return rtc_number(value, format); });
  };
  const auto of_hours = [&](unsigned from) {
    return match(alarm.hour, from, kHours, [&](unsigned value) { return rtc_hour(value, format); });
  };
  const unsigned first_second = of_sixty(alarm.second, 0);
  const unsigned first_minute = of_sixty(alarm.minute, 0);
  const unsigned first_hour = of_hours(0);
  if (first_second == kSixty || first_minute == kSixty || first_hour == kHours) return std::nullopt;

  // Each place from where it is; where it has no match left, the next higher one goes on.
  const auto now = static_cast<unsigned>((time - floor<days>(time)).count());
  unsigned second = of_sixty(alarm.second, now % kSixty + 1);
  unsigned minute = now / kSixty % kSixty;
  unsigned hour = now / kSixty / kSixty;
  if (second >= kSixty || of_sixty(alarm.minute, minute) != minute || of_hours(hour) != hour) {
    second = first_second;
    minute = of_sixty(alarm.minute, minute + 1);
    if (minute >= kSixty || of_hours(hour) != hour) {
      minute = first_minute;
      hour = of_hours(hour + 1);
      if (hour >= kHours) hour = kHours + first_hour;
    }
  }
  return seconds((hour * kSixty + minute) * kSixty + second) - seconds(now);
}

}  // namespace vmctl
