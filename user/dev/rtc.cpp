// SPDX-License-Identifier: GPL-2.0
#include "dev/rtc.hpp"

#include <algorithm>
#include <utility>

namespace vmctl {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

enum Index : std::uint8_t {
  kSecond = 0x00,
  kSecondAlarm = 0x01,
  kMinute = 0x02,
  kMinuteAlarm = 0x03,
  kHour = 0x04,
  kHourAlarm = 0x05,
  kWeekday = 0x06,
  kDay = 0x07,
  kMonth = 0x08,
  kYear = 0x09,
  kA = 0x0a,
  kB = 0x0b,
  kC = 0x0c,
  kD = 0x0d,
  kBaseMemory = 0x15,           // KiB
  kExtendedMemory = 0x17,       // KiB above 1 MiB, 15 MiB at most
  kExtendedMemoryFound = 0x30,  // the same, 64 MiB at most
  kCentury = Rtc::kCenturyIndex,
  kMemoryAbove16M = 0x34,  // in 64 KiB
  kMemoryAbove4G = 0x5b,   // in 64 KiB, three bytes
};

constexpr std::uint8_t kIndexMask = 0x7f;
constexpr std::uint8_t kNmiMask = 0x80;

constexpr std::uint8_t kAUpdateInProgress = 0x80;
constexpr std::uint8_t kADividerReset = 0x60;  // both bits
constexpr std::uint8_t kADividerCrystal = 0x20;
constexpr std::uint8_t kARate = 0x0f;
constexpr std::uint8_t kARate1024Hz = 0x06;

constexpr std::uint8_t kBSet = 0x80;
constexpr std::uint8_t kBPeriodic = 0x40;  // these three as their flags in C
constexpr std::uint8_t kBAlarm = 0x20;
constexpr std::uint8_t kBUpdate = 0x10;
constexpr std::uint8_t kBBinary = 0x04;
constexpr std::uint8_t kB24Hours = 0x02;

constexpr std::uint8_t kCRequest = 0x80;

constexpr std::uint8_t kDValid = 0x80;

constexpr std::int64_t kCrystalHz = 32768;
// UIP rises so long before an update begins, and falls when that is over; then the seconds change
// (the data sheet's tBUC and tUC at 32.768 kHz).
constexpr Time kUpdateWarning = 244us;
constexpr Time kUpdateCycle = 1984us;
constexpr Time kFirstUpdate = 500ms;  // after the chain has been let go

constexpr std::int64_t kSecondInTime = Time(1s).count();

// Ticks of the crystal in that time, and the time after which there have been so many.
std::int64_t crystal_ticks(Time time) {
  const std::int64_t count = time.count();
  return count / kSecondInTime * kCrystalHz + count % kSecondInTime * kCrystalHz / kSecondInTime;
}

Time crystal_time(std::int64_t ticks) {
  const std::int64_t rest = ticks % kCrystalHz * kSecondInTime;
  return Time(ticks / kCrystalHz * kSecondInTime + (rest + kCrystalHz - 1) / kCrystalHz);
}

bool is_time(std::uint8_t index) {
  switch (index) {
    case kSecond:
    case kMinute:
    case kHour:
    case kWeekday:
    case kDay:
    case kMonth:
    case kYear:
    case kCentury:
      return true;
    default:
      return false;
  }
}

}  // namespace

Rtc::Rtc(const Clock& clock, Timer& timer, InterruptLine& irq, RtcConfig config)
    : clock_(clock),
      timer_(timer),
      irq_(irq),
      base_(std::clamp(config.start, kRtcFirst, kRtcLast)),
      seen_(clock.now()) {
  bytes_[kA] = kADividerCrystal | kARate1024Hz;
  bytes_[kB] = kB24Hours;
  bytes_[kD] = kDValid;
  place_memory_size(config);
}

void Rtc::place_memory_size(const RtcConfig& config) {
  constexpr std::uint64_t kKiB = 1024;
  constexpr std::uint64_t kMiB = 1024 * kKiB;
  const auto place = [&](unsigned index, unsigned size, std::uint64_t value, std::uint64_t most) {
    value = std::min(value, most);
    for (unsigned i = 0; i < size; ++i)
      bytes_.at(index + i) = static_cast<std::uint8_t>(value >> 8 * i);
  };
  const auto above = [&](std::uint64_t start) {
    return std::max(config.memory_below_4g, start) - start;
  };
  place(kBaseMemory, 2, config.memory_below_4g / kKiB, 640);
  place(kExtendedMemory, 2, above(kMiB) / kKiB, 15 * kKiB);
  place(kExtendedMemoryFound, 2, above(kMiB) / kKiB, 0xffff);
  place(kMemoryAbove16M, 2, above(16 * kMiB) / (64 * kKiB), 0xffff);
  place(kMemoryAbove4G, 3, config.memory_above_4g / (64 * kKiB), 0xffffff);
}

void Rtc::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::lock_guard guard(mutex_);
  for (std::uint8_t& byte : data) byte = offset++ == 1 ? read_byte(clock_.now()) : 0xff;
}

void Rtc::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const std::lock_guard guard(mutex_);
  for (const std::uint8_t byte : data) {
    if (offset == 0) {
      index_ = byte & kIndexMask;
      nmi_masked_ = (byte & kNmiMask) != 0;
    } else if (offset == 1) {
      write_byte(byte, clock_.now());
    }
    ++offset;
  }
}

void Rtc::on_timer() {
  const std::lock_guard guard(mutex_);
  const Time now = clock_.now();
  armed_.reset();
  catch_up(now);
  settle(now);
}

bool Rtc::may_interrupt() const {
  const std::lock_guard guard(mutex_);
  return level_ || next_event(clock_.now()).has_value();
}

bool Rtc::nmi_masked() const {
  const std::lock_guard guard(mutex_);
  return nmi_masked_;
}

RtcFormat Rtc::format() const {
  return {.binary = (bytes_[kB] & kBBinary) != 0, .hours24 = (bytes_[kB] & kB24Hours) != 0};
}

std::int64_t Rtc::rate() const {
  const unsigned rate = bytes_[kA] & kARate;
  if (rate == 0) return 0;
  // 3 is 8192 Hz, each further one half of that; 1 and 2 are 256 and 128 Hz, as 8 and 9.
  return 1LL << (rate < 3 ? rate + 6 : rate - 1);
}

bool Rtc::chain_runs() const {
  return (bytes_[kA] & kADividerReset) != kADividerReset;
}

bool Rtc::updates() const {
  return chain_runs() && (bytes_[kB] & kBSet) == 0;
}

bool Rtc::update_is_near(Time now) const {
  return updates() && (now - chain_) % 1s >= 1s - kUpdateWarning - kUpdateCycle;
}

std::int64_t Rtc::updates_by(Time now) const {
  return (now - chain_) / 1s;
}

std::int64_t Rtc::periods_by(Time now) const {
  const std::int64_t each = rate();
  return each == 0 ? 0 : crystal_ticks(now - chain_) / each;
}

sys_seconds Rtc::shown(Time now) const {
  return base_ + std::chrono::seconds(updates_by(now) - base_updates_);
}

// Updates stop: the bytes are the time.
void Rtc::freeze(Time now) {
  const RtcBytes time = rtc_bytes(shown(now), format());
  bytes_[kSecond] = time.second;
  bytes_[kMinute] = time.minute;
  bytes_[kHour] = time.hour;
  bytes_[kWeekday] = time.weekday;
  bytes_[kDay] = time.day;
  bytes_[kMonth] = time.month;
  bytes_[kYear] = time.year;
  bytes_[kCentury] = time.century;
}

// Updates go on from what the bytes say.
void Rtc::thaw(Time now) {
  base_ = rtc_time({.second = bytes_[kSecond],
                    .minute = bytes_[kMinute],
                    .hour = bytes_[kHour],
                    .weekday = bytes_[kWeekday],
                    .day = bytes_[kDay],
                    .month = bytes_[kMonth],
                    .year = bytes_[kYear],
                    .century = bytes_[kCentury]},
                   format());
  base_updates_ = updates_by(now);
}

std::uint8_t Rtc::read_byte(Time now) {
  if (index_ == kC) return take_flags(now);
  if (index_ == kA && update_is_near(now)) return bytes_[kA] | kAUpdateInProgress;
  if (is_time(index_) && updates()) freeze(now);
  return bytes_[index_];
}

std::uint8_t Rtc::take_flags(Time now) {
  catch_up(now);
  const std::uint8_t flags = bytes_[kC] | (requests() ? kCRequest : std::uint8_t{0});
  bytes_[kC] = 0;
  settle(now);
  return flags;
}

void Rtc::write_byte(std::uint8_t value, Time now) {
  if (index_ == kC || index_ == kD) return;
  catch_up(now);
  if (index_ == kA)
    set_modes(value & static_cast<std::uint8_t>(~kAUpdateInProgress), bytes_[kB], now);
  else if (index_ == kB)
    set_modes(bytes_[kA], value, now);
  else if (is_time(index_))
    set_time_byte(value, now);
  else
    bytes_[index_] = value;
  if (index_ <= kB) settle(now);
}

void Rtc::set_modes(std::uint8_t a, std::uint8_t b, Time now) {
  const bool updated = updates();
  const bool ran = chain_runs();
  if (updated) freeze(now);
  bytes_[kA] = a;
  // SET also disables the interrupt at the end of an update.
  bytes_[kB] = (b & kBSet) != 0 ? static_cast<std::uint8_t>(b & ~kBUpdate) : b;
  if (!ran && chain_runs()) chain_ = now - kFirstUpdate;
  if (!updated && updates()) thaw(now);
}

void Rtc::set_time_byte(std::uint8_t value, Time now) {
  if (updates()) freeze(now);
  bytes_[index_] = value;
  if (updates()) thaw(now);
}

void Rtc::catch_up(Time now) {
  std::uint8_t flags = 0;
  if (chain_runs() && periods_by(now) > periods_by(seen_)) flags |= kBPeriodic;
  if (updates() && updates_by(now) > updates_by(seen_)) {
    flags |= kBUpdate;
    const auto until = rtc_until(alarm(), format(), shown(seen_));
    if (until && shown(seen_) + *until <= shown(now)) flags |= kBAlarm;
  }
  bytes_[kC] |= flags;
  seen_ = now;
}

RtcAlarm Rtc::alarm() const {
  return {
      .second = bytes_[kSecondAlarm], .minute = bytes_[kMinuteAlarm], .hour = bytes_[kHourAlarm]};
}

bool Rtc::requests() const {
  return (bytes_[kC] & bytes_[kB]) != 0;  // C keeps nothing but the three flags
}

// The first moment after `now` at which an enabled interrupt comes.
std::optional<Time> Rtc::next_event(Time now) const {
  std::optional<Time> next;
  const auto consider = [&](Time time) { next = next ? std::min(*next, time) : time; };
  const std::uint8_t enabled = bytes_[kB];
  if ((enabled & kBPeriodic) != 0 && chain_runs() && rate() != 0)
    consider(chain_ + crystal_time((periods_by(now) + 1) * rate()));
  if (!updates()) return next;
  const std::int64_t updates = updates_by(now);
  if ((enabled & kBUpdate) != 0) consider(chain_ + std::chrono::seconds(updates + 1));
  if ((enabled & kBAlarm) != 0) {
    if (const auto until = rtc_until(alarm(), format(), shown(now)))
      consider(chain_ + std::chrono::seconds(updates) + *until);
  }
  return next;
}

void Rtc::settle(Time now) {
  const bool level = requests();
  if (level != level_) irq_.set(level);
  level_ = level;
  // Until the flags have been read nothing more can be raised.
  const std::optional<Time> next = level ? std::nullopt : next_event(now);
  if (next == armed_) return;
  armed_ = next;
  if (next)
    timer_.set(*next);
  else
    timer_.stop();
}

}  // namespace vmctl
