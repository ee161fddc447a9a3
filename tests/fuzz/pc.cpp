// SPDX-License-Identifier: GPL-2.0
#include "pc.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.hpp"

namespace vmctl::fuzz {
namespace {

using namespace std::chrono_literals;

enum Port : std::uint16_t {
  kPicMaster = 0x20,
  kKeyboardData = 0x60,
  kKeyboardCommand = 0x64,
  kCmosIndex = 0x70,
  kCmosData = 0x71,
  kPostCode = 0x80,
  kPortA = 0x92,
  kPicSlave = 0xa0,
  kDebugConsole = 0xe9,
  kDebugExit = 0xf4,
  kSerial = 0x3f8,
  kSerialIir = kSerial + 2,
  kSerialLcr = kSerial + 3,
  kSerialMcr = kSerial + 4,
  kSerialLsr = kSerial + 5,
  kElcr = 0x4d0,
  kPm1Status = 0x600,
  kPm1Enable = 0x602,
  kPm1Control = 0x604,
  kPmTimer = 0x608,
  kResetControl = 0xcf9,
};

constexpr std::chrono::sys_seconds kStart{1'790'000'000s};

// A rule of the devices'; a broken one ends the run.
void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "fuzz-devices: broken in step %llu: %s\n",
               static_cast<unsigned long long>(tally().steps), rule);
  std::abort();
}

std::uint64_t pm_ticks(Time time) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(Wide(static_cast<std::uint64_t>(time.count())) * PmTimer::kHz /
                                    1'000'000'000) &
         PmTimer::kMask;
}

}  // namespace

Tally& tally() {
  static Tally all;
  return all;
}

void check_reads_fill() {
  for (const auto& [port, reads] : tally().reads)
    if (reads.bytes > 1000)
      require(reads.untouched < reads.bytes / 4, "a read fills all its bytes");
}

std::uint8_t Script::byte() {
  if (bytes_.empty()) return 0;
  const std::uint8_t value = bytes_.front();
  bytes_ = bytes_.subspan(1);
  return value;
}

void Pc::Wire::set(bool level) {
  require(level != high, "a line is told changes alone");
  high = level;
  to_.set(level);
}

Pc::Pc()
    : rtc_(clock_, timer_, rtc_line_,
           {.start = kStart, .memory_below_4g = 1ULL << 31, .memory_above_4g = 1ULL << 33}),
      keyboard_([this] { ++resets_; }),
      port_a_([this] { ++resets_; }),
      reset_control_([this] { ++resets_; }),
      post_([this](std::uint8_t code) { require(in(kPostCode) == code, "POST reads back"); }),
      debug_exit_([](std::uint32_t value) {
        for (const DebugExitStyle style : {DebugExitStyle::vmctl, DebugExitStyle::qemu})
          require(debug_exit_status(style, value).status <= 255, "a status is one of a process");
      }) {
  // The handlers call back: nobody's lock is held.
  serial_.on_room([this] {
    ++rooms_;
    require(hears(), "on_room() comes when there is room");
  });
  pic_.on_change([this] {
    ++interrupts_;
    require(!pic_.listens(Pic::kCascade), "the cascade is no line");
  });
  claim(kPicMaster, Pic::kSize, "pic", pic_.master());
  claim(kPicSlave, Pic::kSize, "pic", pic_.slave());
  claim(kElcr, Pic::kSize, "pic", pic_.elcr());
  claim(kKeyboardData, 1, "i8042", keyboard_.data());
  claim(kKeyboardCommand, 1, "i8042", keyboard_.command());
  claim(kCmosIndex, Rtc::kSize, "rtc", rtc_);
  claim(kPostCode, PostCode::kSize, "post", post_);
  claim(kPortA, SystemControlA::kSize, "port-a", port_a_);
  claim(kDebugConsole, DebugConsole::kSize, "debug-console", debug_console_);
  claim(kDebugExit, DebugExit::kSize, "debug-exit", debug_exit_, kUpToDwords);
  claim(kSerial, Serial::kSize, "serial", serial_);
  claim(kPmTimer, PmTimer::kSize, "pm-timer", pm_timer_, kUpToDwords);
  claim(kResetControl, ResetControl::kSize, "reset-control", reset_control_);
  claim(kPm1Status, AcpiPm::kEventSize, "pm1-event", acpi_pm_.events(), kUpToDwords);
  claim(kPm1Control, AcpiPm::kControlSize, "pm1-control", acpi_pm_.control(), kUpToDwords);
}

void Pc::claim(std::uint64_t base, std::uint64_t size, const char* name, Device& device,
               Widths widths) {
  require(bus_.claim(base, size, name, device, widths).has_value(), "devices do not overlap");
  for (std::uint64_t i = 0; i < size; ++i) ports_.push_back(static_cast<std::uint16_t>(base + i));
}

void Pc::step(Script& script) {
  ++tally().steps;
  const Before before{
      .hears = hears(), .pending = pic_.pending(), .resets = resets_, .offs = offs_};
  rooms_ = 0;
  interrupts_ = 0;
  may_reset_ = false;
  may_switch_off_ = false;
  switch (const std::uint8_t what = script.byte(); what % 32) {
    case 0:
    case 1:
    case 2:
      receive(script);
      break;
    case 3:
    case 4:
      advance(script);
      break;
    case 5:
    case 6:
      fire();
      break;
    case 7:
    case 8:
    case 9:
      acknowledge();
      break;
    case 10:
    case 11:
      set_line(script);
      break;
    case 12:
      initialise_pic(script);
      break;
    case 13:
    case 14:
    case 15:
      set_cmos(script);
      break;
    case 16:
      check_time();
      break;
    case 17:
      if (what < 64) transfer(script);
      break;
    case 18:
      press_button();
      break;
    default:
      access(script);
      break;
  }
  check(before);
}

// Mostly a claimed one.
std::uint16_t Pc::port(Script& script) const {
  const std::uint8_t choice = script.byte();
  if (choice >= 248) return script.word();
  return ports_[choice % ports_.size()];
}

void Pc::access(Script& script) {
  const std::uint8_t how = script.byte();
  const std::uint16_t address = port(script);
  // Half of them one byte, the others of any width, some as strings.
  const std::size_t width = (how & 0x40) == 0 ? 1 : 1 + (how & 7U);
  const std::size_t count = (how & 0x38) == 0x38 ? 1 + script.byte() % 40U : 1;
  if ((how & 0x80) == 0) {
    read(address, width, count);
    return;
  }
  std::array<std::uint8_t, 320> data{};
  for (std::size_t i = 0; i < width * count; ++i) data.at(i) = script.byte();
  write(address, width, std::span(data).first(width * count));
}

void Pc::read(std::uint64_t address, std::size_t width, std::size_t count) {
  std::array<std::uint8_t, 320> buffer{};
  const auto data = std::span(buffer).first(width * count);
  paint_ = static_cast<std::uint8_t>(paint_ * 5 + 113);
  std::fill(data.begin(), data.end(), paint_);
  const bool serial_was_high = serial_line_.high;

  const bool taken = bus_.read(address, width, data);
  ++tally().accesses[std::string(bus_.name_at(address))];
  if (!bus_.name_at(address).empty()) require(taken, "a claimed port is taken");
  if (!taken)
    require(std::all_of(data.begin(), data.end(), [](std::uint8_t b) { return b == 0xff; }),
            "nobody's port reads as ones");
  if (width == 1) {
    Tally::Reads& reads = tally().reads[address];
    reads.bytes += count;
    reads.untouched += static_cast<std::uint64_t>(std::count(data.begin(), data.end(), paint_));
    if (count == 1) check_read(address, data.front(), serial_was_high);
  }
  if (address == kPmTimer && width == 4)
    require(little_endian(data.first(4)) == pm_ticks(clock_.time), "the PM timer is exact");
}

void Pc::check_read(std::uint64_t address, std::uint8_t value, bool serial_was_high) {
  switch (address) {
    case kSerialIir:
      require(((value & 1) == 0) == serial_was_high, "the line is high while IIR has something");
      break;
    case kSerialLsr:
      require((value & 0x6c) == 0x60, "always ready to send; no parity and framing errors");
      break;
    case kKeyboardCommand:
      require((value & 0xe2) == 0, "the keyboard controller is never busy");
      break;
    case kCmosIndex:
      require(value == 0xff, "the index is not to be read");
      break;
    case kDebugConsole:
      require(value == DebugConsole::kPresent, "the debug console is there");
      break;
    default:
      break;
  }
}

void Pc::write(std::uint64_t address, std::size_t width, std::span<const std::uint8_t> data) {
  const std::size_t sent = sink_.bytes.size();
  const std::uint64_t end = address + width;
  for (const Port port : {kKeyboardData, kKeyboardCommand, kPortA, kResetControl})
    may_reset_ |= address <= port && port < end;
  may_switch_off_ = address <= kPm1Control + 1 && kPm1Control + 1 < end;
  const bool to_thr = address == kSerial && width == 1;
  const bool leaves = to_thr && (in(kSerialLcr)&0x80) == 0 && (in(kSerialMcr)&0x10) == 0;

  const bool taken = bus_.write(address, width, data);
  ++tally().accesses[std::string(bus_.name_at(address))];
  if (!bus_.name_at(address).empty()) require(taken, "a claimed port is taken");
  if (address == kCmosIndex && width == 1)
    require(rtc_.nmi_masked() == ((data.back() & 0x80) != 0), "the index port masks NMI");
  if (!to_thr) return;
  if (!leaves) {
    require(sink_.bytes.size() == sent, "what is not to leave does not");
    return;
  }
  require(std::equal(data.begin(), data.end(), sink_.bytes.begin() + static_cast<long>(sent),
                     sink_.bytes.end()),
          "what is sent arrives");
  if (sent > 100'000) sink_.bytes.clear();
}

void Pc::out(std::uint64_t address, unsigned value) {
  write(address, 1, std::array{static_cast<std::uint8_t>(value)});
}

// Past the rules, for looking.
unsigned Pc::in(std::uint64_t address) {
  std::array<std::uint8_t, 1> byte{};
  bus_.read(address, 1, byte);
  return byte[0];
}

void Pc::receive(Script& script) {
  std::array<std::uint8_t, 32> bytes{};
  const auto data = std::span(bytes).first(script.byte() % 33U);
  for (std::uint8_t& byte : data) byte = script.byte();
  const std::size_t room = serial_.receive_room();
  const bool interrupts = serial_.may_interrupt() && !data.empty() && room > 0;
  require(serial_.receive(data) == std::min(room, data.size()), "what has room is received");
  require(serial_.receive_room() == room - std::min(room, data.size()), "and takes it");
  require(!interrupts || serial_line_.high, "what may interrupt does");
}

// By nanoseconds up to centuries: nothing may depend on its being small.
void Pc::advance(Script& script) {
  const std::uint8_t how = script.byte();
  const std::uint16_t by = script.word();
  if (how < 250)
    clock_.time += Time(by) * (1LL << how % 24);
  else if (clock_.time < Time(24h) * 36525 * 2)
    clock_.time += Time(24h) * (by % 16384);
}

// The timer if it is due; else, once in a while, a handler that comes too early.
void Pc::fire() {
  if (timer_.at && *timer_.at <= clock_.time) timer_.at.reset();
  rtc_.on_timer();
  require(!timer_.at || *timer_.at > clock_.time, "the timer is set to the future");
}

void Pc::set_line(Script& script) {
  const std::uint8_t what = script.byte();
  const unsigned irq = what % Pic::kLines;
  if (irq == 4 || irq == 8 || irq == 9) return;
  levels_.at(irq) = (what & 0x80) != 0;
  pic_.line(irq).set(levels_.at(irq));
}

void Pc::acknowledge() {
  const bool pending = pic_.pending();
  const auto service = [&](Port chip) {
    out(chip, 0x0b);
    return in(chip);
  };
  const unsigned before = service(kPicMaster) << 8 | service(kPicSlave);
  const auto vector = pic_.acknowledge();
  if (!pending) {
    require(!vector || (*vector & 7) == 7, "without a request it is spurious");
    require((service(kPicMaster) << 8 | service(kPicSlave)) == before,
            "what is spurious is not in service");
    return;
  }
  require(vector.has_value(), "what is pending can be taken");
}

void Pc::initialise_pic(Script& script) {
  const std::uint8_t how = script.byte();
  for (const Port chip : {kPicMaster, kPicSlave}) {
    out(chip, how < 128 ? 0x11 : 0x10 | (how & 0x0f));
    out(chip + 1, chip == kPicMaster ? 0x08 : 0x70);
    out(chip + 1, chip == kPicMaster ? 0x04 : 0x02);
    out(chip + 1, script.byte() & 0x13);
    out(chip + 1, 0);
  }
}

// Registers above all.
void Pc::set_cmos(Script& script) {
  const std::uint8_t index = script.byte();
  out(kCmosIndex, index < 200 ? index % 16 : index);
  if ((script.byte() & 1) == 0) {
    out(kCmosData, script.byte());
    return;
  }
  out(kCmosIndex, 0x0c);
  const bool was_high = rtc_line_.high;
  const bool due = timer_.at && *timer_.at <= clock_.time;
  const bool requested = (in(kCmosData)&0x80) != 0;
  require(!requested || was_high || due, "the line is high while C requests");
  require(!was_high || requested, "C requests while the line is high");
  require(!rtc_line_.high, "reading C lowers the line");
  require(in(kCmosData) == 0, "reading C clears it");
}

// While it runs, the clock shows nothing that is no time.
void Pc::check_time() {
  const auto cmos = [&](unsigned index) {
    out(kCmosIndex, index);
    return in(kCmosData);
  };
  const unsigned modes = cmos(0x0b);
  if ((modes & 0x80) != 0 || (cmos(0x0a) & 0x60) == 0x60) return;
  const auto within = [&](unsigned byte, unsigned least, unsigned most) {
    if ((modes & 0x04) == 0) {
      require((byte & 0x0f) <= 9, "BCD has ten digits");
      byte = (byte >> 4) * 10 + (byte & 0x0f);
    }
    require(byte >= least && byte <= most, "the time is one");
  };
  within(cmos(0x00), 0, 59);
  within(cmos(0x02), 0, 59);
  if ((modes & 0x02) != 0)
    within(cmos(0x04), 0, 23);
  else
    within(cmos(0x04) & 0x7f, 1, 12);
  within(cmos(0x06), 1, 7);
  within(cmos(0x07), 1, 31);
  within(cmos(0x08), 1, 12);
  within(cmos(0x09), 0, 99);
  within(cmos(0x32), 0, 99);
}

void Pc::press_button() {
  acpi_pm_.press_power_button();
  require((in(kPm1Status + 1) & 1) != 0, "the power button is seen");
  require(sci_line_.high == acpi_pm_.power_button_enabled(), "who enabled it is interrupted");
}

// A text comes in whole, through a UART set up anyhow, by a guest that polls.
void Pc::transfer(Script& script) {
  const std::uint8_t how = script.byte();
  out(kSerialLcr, 0x03);
  out(kSerialMcr, 0x0b);
  out(kSerial + 1, how & 0x0f);
  out(kSerialIir, 0x01);
  out(kSerialIir, 0x00);  // which empties it
  out(kSerialIir, (how & 0xc0) | ((how & 0x10) != 0 ? 0x03 : 0x00));
  std::vector<std::uint8_t> text(script.byte());
  std::generate(text.begin(), text.end(), [next = how]() mutable { return next++; });
  std::span<const std::uint8_t> left = text;
  std::vector<std::uint8_t> got;
  in(kSerialLsr);
  while (got.size() < text.size()) {
    left = left.subspan(serial_.receive(left));
    require(serial_.receive_room() == 0 || left.empty(), "what has room is received");
    const std::size_t before = got.size();
    for (unsigned burst = 1 + how % 20U; burst > 0 && (in(kSerialLsr)&1) != 0; --burst)
      got.push_back(static_cast<std::uint8_t>(in(kSerial)));
    require(got.size() > before, "what was received can be read");
  }
  require(got == text, "nothing is lost");
  require((in(kSerialLsr)&1) == 0, "and nothing is added");
}

void Pc::check(const Before& before) {
  require(serial_.receive_room() <= ReceiveFifo::kDepth, "room is within bounds");
  if (!before.hears && hears()) require(rooms_ > 0, "new room is told");
  require(!serial_line_.high || (in(kSerial + 1) & 0x0f) != 0 || (in(kSerialLcr)&0x80) != 0,
          "no interrupt without its enable bit");

  levels_.at(4) = serial_line_.high;
  levels_.at(8) = rtc_line_.high;
  levels_.at(9) = sci_line_.high;
  if (!before.pending && pic_.pending()) require(interrupts_ > 0, "a new request is told");
  if (pic_.pending()) {
    bool asked = false;
    for (unsigned irq = 0; irq < Pic::kLines; ++irq) asked |= levels_.at(irq) && pic_.listens(irq);
    require(asked, "a request comes from a line that is high and not masked");
  }

  require(rtc_.may_interrupt() == (rtc_line_.high || timer_.at.has_value()),
          "the timer is set for what may interrupt, and for that alone");
  require(resets_ == before.resets || may_reset_, "a reset was asked for");
  require(offs_ == before.offs || may_switch_off_, "to be switched off was asked for");
  require((in(kPm1Control)&1) == 1 && (in(kPm1Control + 1) & 0xe0) == 0,
          "ACPI is on, and SLP_EN reads as zero");
  require(sci_line_.high == ((in(kPm1Status)&in(kPm1Enable)) != 0 ||
                             (in(kPm1Status + 1) & in(kPm1Enable + 1)) != 0),
          "the SCI is what is both there and enabled");
}

}  // namespace vmctl::fuzz
