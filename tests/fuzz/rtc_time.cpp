// SPDX-License-Identifier: GPL-2.0
// The clock's bytes as a time, and its alarm.
#include "dev/rtc_time.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

bool same(const RtcBytes& a, const RtcBytes& b) {
  return a.second == b.second && a.minute == b.minute && a.hour == b.hour && a.day == b.day &&
         a.month == b.month && a.year == b.year && a.century == b.century;
}

bool rings(RtcAlarm alarm, RtcFormat format, sys_seconds time) {
  const RtcBytes bytes = rtc_bytes(time, format);
  const auto matches = [](std::uint8_t byte, std::uint8_t shown) {
    return byte >= 0xc0 || byte == shown;
  };
  return matches(alarm.second, bytes.second) && matches(alarm.minute, bytes.minute) &&
         matches(alarm.hour, bytes.hour);
}

void check_alarm(RtcAlarm alarm, RtcFormat format, sys_seconds time, seconds look) {
  constexpr seconds kDay{24 * 60 * 60};
  const auto until = rtc_until(alarm, format, time);
  require(!until || (*until > seconds(0) && *until <= kDay), "an alarm is within a day");
  require(!until || rings(alarm, format, time + *until), "it rings when it is said to");
  require(!rings(alarm, format, time + look) || (until && *until <= look), "and not later");
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const auto how = input.number<std::uint8_t>();
  const RtcFormat format{.binary = (how & 1) != 0, .hours24 = (how & 2) != 0};
  const auto time = rtc_time(input.number<RtcBytes>(), format);
  require(time >= kRtcFirst && time <= kRtcLast, "any bytes are a time that can be shown");
  const RtcBytes shown = rtc_bytes(time, format);
  require(rtc_time(shown, format) == time, "what is shown is the time");
  for (const RtcFormat& other : {RtcFormat{false, false}, RtcFormat{true, true}})
    require(rtc_time(rtc_bytes(time, other), other) == time, "in every format");
  require(same(rtc_bytes(rtc_time(shown, format), format), shown), "and the time what is shown");

  const auto alarm = input.number<RtcAlarm>();
  const seconds look(1 + input.number<std::uint32_t>() % (24U * 60 * 60));
  check_alarm(alarm, format, time, look);
  // One that is shown does ring.
  const RtcBytes then = rtc_bytes(time + look, format);
  check_alarm({then.second, then.minute, (how & 4) != 0 ? std::uint8_t{0xff} : then.hour}, format,
              time, look);
  return 0;
}
