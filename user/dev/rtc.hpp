// SPDX-License-Identifier: GPL-2.0
// The PC's real-time clock and CMOS memory (MC146818, Motorola data sheet), driven by its 32.768
// kHz crystal. Time goes by the machine's clock: nothing here runs by itself. Flags are worked out
// when somebody asks; the timer is set only for an interrupt that the guest has enabled and that is
// not pending yet. All moments lie on the grid of the divider chain, however late the timer is.
//
// Daylight saving is not done (DSE is only kept), SQW leads nowhere, and the day of the week is the
// date's. Written time need not make sense: while updates are stopped it reads back as written,
// then each field is brought into its range.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "bus/clock.hpp"
#include "bus/device.hpp"
#include "bus/line.hpp"
#include "dev/rtc_time.hpp"

namespace vmctl {

struct RtcConfig {
  std::chrono::sys_seconds start;  // what it shows at the machine's time 0
  std::uint64_t memory_below_4g = 0;
  std::uint64_t memory_above_4g = 0;
};

class Rtc final : public Device {
 public:
  static constexpr std::uint64_t kSize = 2;  // ports 0x70, 0x71
  static constexpr std::uint8_t kCenturyIndex = 0x32;

  Rtc(const Clock& clock, Timer& timer, InterruptLine& irq, RtcConfig config);

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

  // The timer's handler.
  void on_timer();
  // Whether the passing of time would raise an interrupt, or has raised one that was not yet read.
  bool may_interrupt() const;
  // Bit 7 of the index port, which is the PC's gate for NMI.
  bool nmi_masked() const;

 private:
  // All that follows: with the lock held.
  std::uint8_t read_byte(Time now);
  std::uint8_t take_flags(Time now);
  void write_byte(std::uint8_t value, Time now);
  void set_modes(std::uint8_t a, std::uint8_t b, Time now);
  void set_time_byte(std::uint8_t value, Time now);
  void place_memory_size(const RtcConfig& config);

  RtcFormat format() const;
  std::int64_t rate() const;  // periodic interrupts, in ticks of the crystal; 0: none
  bool chain_runs() const;
  bool updates() const;
  bool update_is_near(Time now) const;
  std::int64_t updates_by(Time now) const;
  std::int64_t periods_by(Time now) const;
  std::chrono::sys_seconds shown(Time now) const;
  void freeze(Time now);
  void thaw(Time now);
  // The flags up to now.
  void catch_up(Time now);
  RtcAlarm alarm() const;
  bool requests() const;
  std::optional<Time> next_event(Time now) const;
  void settle(Time now);

  const Clock& clock_;
  Timer& timer_;
  InterruptLine& irq_;

  mutable std::mutex mutex_;  // guards all below
  std::array<std::uint8_t, 128> bytes_{};
  std::uint8_t index_ = 0;
  bool nmi_masked_ = false;
  // The divider chain began then; each second from there is an update, each tick of the crystal may
  // be a periodic interrupt.
  Time chain_{0};
  // What is shown after so many updates, while they go on; else the bytes are what is shown.
  std::chrono::sys_seconds base_;
  std::int64_t base_updates_ = 0;
  Time seen_{0};               // the flags are right up to here
  bool level_ = false;         // of the line
  std::optional<Time> armed_;  // what the timer is set to
};

}  // namespace vmctl
