// SPDX-License-Identifier: GPL-2.0
// All devices on a bus as in a PC, driven by a string of bytes. After each step it checks what must
// hold whatever a guest does, and aborts with the rule that was broken.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bus/bus.hpp"
#include "bus/clock.hpp"
#include "bus/line.hpp"
#include "dev/acpi_pm.hpp"
#include "dev/debug_console.hpp"
#include "dev/debug_exit.hpp"
#include "dev/pic.hpp"
#include "dev/pm_timer.hpp"
#include "dev/post.hpp"
#include "dev/reset.hpp"
#include "dev/rtc.hpp"
#include "dev/serial.hpp"
#include "dev/sink.hpp"

namespace vmctl::fuzz {

// What has been done so far, by all PCs together.
struct Tally {
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t, std::less<>> accesses;  // by device; "" is nobody's
  // For each port: bytes read, and how many were as they had been before.
  struct Reads {
    std::uint64_t bytes = 0;
    std::uint64_t untouched = 0;
  };
  std::map<std::uint64_t, Reads> reads;
};
Tally& tally();

// Aborts if a port leaves bytes of reads as they were. By chance one in 256 is right already.
void check_reads_fill();

// The bytes that say what to do; zeros when they are used up.
class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool done() const { return bytes_.empty(); }
  std::uint8_t byte();
  std::uint16_t word() { return static_cast<std::uint16_t>(byte() | byte() << 8); }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Pc {
 public:
  Pc();
  void step(Script& script);

 private:
  class ManualClock final : public Clock {
   public:
    Time now() const override { return time; }
    Time time{0};
  };
  class ManualTimer final : public Timer {
   public:
    void set(Time when) override { at = when; }
    void stop() override { at.reset(); }
    std::optional<Time> at;
  };
  class Memo final : public Sink {
   public:
    void put(std::span<const std::uint8_t> data) override {
      bytes.insert(bytes.end(), data.begin(), data.end());
    }
    std::vector<std::uint8_t> bytes;
  };
  // On its way to the interrupt controller.
  class Wire final : public InterruptLine {
   public:
    explicit Wire(InterruptLine& to) : to_(to) {}
    void set(bool level) override;
    bool high = false;

   private:
    InterruptLine& to_;
  };
  // What the rules of a step need to know of the moment before it.
  struct Before {
    bool hears;
    bool pending;
    int resets;
    int offs;
  };

  void claim(std::uint64_t base, std::uint64_t size, const char* name, Device& device,
             Widths widths = kBytes);
  std::uint16_t port(Script& script) const;
  bool hears() const { return serial_.listening() && serial_.receive_room() > 0; }

  void read(std::uint64_t address, std::size_t width, std::size_t count);
  void write(std::uint64_t address, std::size_t width, std::span<const std::uint8_t> data);
  static void check_read(std::uint64_t address, std::uint8_t value, bool serial_was_high);
  void out(std::uint64_t address, unsigned value);
  unsigned in(std::uint64_t address);

  void access(Script& script);
  void receive(Script& script);
  void advance(Script& script);
  void fire();
  void set_line(Script& script);
  void acknowledge();
  void initialise_pic(Script& script);
  void set_cmos(Script& script);
  void check_time();
  void press_button();
  void transfer(Script& script);
  void check(const Before& before);

  ManualClock clock_;
  ManualTimer timer_;
  Memo sink_;
  Memo debug_sink_;
  Pic pic_;
  Wire serial_line_{pic_.line(4)};
  Wire rtc_line_{pic_.line(8)};
  Wire sci_line_{pic_.line(9)};
  Serial serial_{sink_, serial_line_};
  Rtc rtc_;
  I8042 keyboard_;
  SystemControlA port_a_;
  ResetControl reset_control_;
  DebugConsole debug_console_{debug_sink_};
  PostCode post_;
  PmTimer pm_timer_{clock_};
  AcpiPm acpi_pm_{sci_line_, [this] { ++offs_; }};
  DebugExit debug_exit_;
  Bus bus_;
  std::vector<std::uint16_t> ports_;  // all that is claimed
  std::array<bool, Pic::kLines> levels_{};
  int rooms_ = 0;
  int interrupts_ = 0;
  int resets_ = 0;
  int offs_ = 0;
  bool may_switch_off_ = false;  // this step has written to the control register's upper byte
  bool may_reset_ = false;       // this step has written where a reset may be made
  std::uint8_t paint_ = 0;       // changes from read to read
};

}  // namespace vmctl::fuzz
