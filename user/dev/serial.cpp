// SPDX-License-Identifier: GPL-2.0
#include "dev/serial.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vmctl {
namespace {

enum Register : std::uint64_t {
  kData = 0,             // RBR, THR; divisor low with DLAB
  kInterruptEnable = 1,  // IER; divisor high with DLAB
  kInterruptId = 2,      // IIR; FCR when written
  kLineControl = 3,
  kModemControl = 4,
  kLineStatus = 5,
  kModemStatus = 6,
  kScratch = 7,
};

constexpr std::uint8_t kIerMask = 0x0f;
constexpr std::uint8_t kIerReceivedData = 0x01;
constexpr std::uint8_t kIerThrEmpty = 0x02;
constexpr std::uint8_t kIerLineStatus = 0x04;
constexpr std::uint8_t kIerModemStatus = 0x08;
constexpr std::uint8_t kIirFifos = 0xc0;
constexpr std::uint8_t kFcrEnable = 0x01;
constexpr std::uint8_t kFcrResetReceiver = 0x02;
constexpr unsigned kFcrTriggerShift = 6;
constexpr std::uint8_t kLcrBreak = 0x40;
constexpr std::uint8_t kLcrDivisorLatch = 0x80;
constexpr std::uint8_t kMcrMask = 0x1f;
constexpr std::uint8_t kMcrLoopback = 0x10;
constexpr std::uint8_t kLsrDataReady = 0x01;
constexpr std::uint8_t kLsrOverrun = 0x02;
constexpr std::uint8_t kLsrBreak = 0x10;
constexpr std::uint8_t kLsrThrEmpty = 0x20;
constexpr std::uint8_t kLsrTransmitterEmpty = 0x40;
constexpr std::uint8_t kLsrFifoError = 0x80;
constexpr std::uint8_t kMsrCts = 0x10;
constexpr std::uint8_t kMsrDsr = 0x20;
constexpr std::uint8_t kMsrRi = 0x40;
constexpr std::uint8_t kMsrDcd = 0x80;
constexpr unsigned kMsrInputShift = 4;  // from an input down to its delta

}  // namespace

template <class Act>
void Serial::access(Act act) {
  bool hears = false;
  {
    const std::lock_guard guard(mutex_);
    const bool heard = can_hear();
    act();
    settle();
    hears = !heard && can_hear();
  }
  if (hears && on_room_) on_room_();
}

void Serial::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  for (std::uint8_t& byte : data) byte = read_register(offset++);
}

void Serial::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  for (const std::uint8_t byte : data) write_register(offset++, byte);
}

void Serial::write_string(std::uint64_t offset, std::size_t width,
                          std::span<const std::uint8_t> data) {
  if (offset == kData && width == 1)
    transmit(data);
  else
    Device::write_string(offset, width, data);
}

std::uint8_t Serial::read_register(std::uint64_t offset) {
  std::uint8_t value = 0xff;
  if (offset < kSize) access([&] { value = peek_or_take(offset); });
  return value;
}

void Serial::write_register(std::uint64_t offset, std::uint8_t value) {
  if (offset == kData)
    transmit({&value, 1});
  else if (offset < kSize)
    access([&] { set_register(offset, value); });
}

void Serial::transmit(std::span<const std::uint8_t> bytes) {
  bool leaves = false;
  access([&] {
    looked_ = false;
    leaves = !divisor_latch() && !loopback();
    if (leaves || bytes.empty()) return;
    if (divisor_latch()) {
      divisor_low_ = bytes.back();
      return;
    }
    for (const std::uint8_t byte : bytes) loop_back(byte);
    transmitted();
  });
  if (!leaves || bytes.empty()) return;
  // Without the lock, as the sink may wait.
  sink_.put(bytes);
  access([&] { transmitted(); });
}

std::size_t Serial::receive_room() const {
  const std::lock_guard guard(mutex_);
  return room();
}

std::size_t Serial::receive(std::span<const std::uint8_t> bytes) {
  const std::lock_guard guard(mutex_);
  const std::size_t count = std::min(bytes.size(), room());
  for (const std::uint8_t byte : bytes.first(count)) keep(byte, 0);
  settle();
  return count;
}

bool Serial::listening() const {
  const std::lock_guard guard(mutex_);
  return listening_;
}

bool Serial::may_interrupt() const {
  const std::lock_guard guard(mutex_);
  return (interrupt_enable_ & kIerReceivedData) != 0 && !loopback();
}

bool Serial::divisor_latch() const {
  return (line_control_ & kLcrDivisorLatch) != 0;
}

bool Serial::loopback() const {
  return (modem_control_ & kMcrLoopback) != 0;
}

bool Serial::fifos() const {
  return (fifo_control_ & kFcrEnable) != 0;
}

// The receiver hears the break that the chip sends.
bool Serial::breaking() const {
  return loopback() && (line_control_ & kLcrBreak) != 0;
}

std::size_t Serial::depth() const {
  return fifos() ? ReceiveFifo::kDepth : 1;
}

std::size_t Serial::trigger() const {
  constexpr std::array<std::size_t, 4> kLevels{1, 4, 8, 14};
  return fifos() ? kLevels[fifo_control_ >> kFcrTriggerShift] : 1;
}

std::size_t Serial::room() const {
  return loopback() ? 0 : depth() - received_.fill();
}

bool Serial::can_hear() const {
  return listening_ && room() > 0;
}

std::uint8_t Serial::modem_inputs() const {
  if (!loopback()) return kMsrCts | kMsrDsr | kMsrDcd;
  // The four outputs are wired to the four inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD.
  const std::uint8_t outputs = modem_control_;
  return static_cast<std::uint8_t>((outputs & 0x02) << 3 | (outputs & 0x01) << 5 |
                                   (outputs & 0x0c) << 4);
}

Serial::Source Serial::source() const {
  const std::uint8_t enabled = interrupt_enable_;
  if ((enabled & kIerLineStatus) != 0 && line_errors_ != 0) return Source::line_status;
  if ((enabled & kIerReceivedData) != 0 && !received_.empty()) {
    if (received_.fill() >= trigger()) return Source::received_data;
    if (timed_out_) return Source::timeout;
  }
  if ((enabled & kIerThrEmpty) != 0 && thr_empty_pending_) return Source::thr_empty;
  if ((enabled & kIerModemStatus) != 0 && modem_deltas_ != 0) return Source::modem_status;
  return Source::none;
}

void Serial::settle() {
  const bool level = source() != Source::none;
  if (level != level_) irq_.set(level);
  level_ = level;
}

std::uint8_t Serial::peek_or_take(std::uint64_t offset) {
  switch (offset) {
    case kData:
      return divisor_latch() ? divisor_low_ : take_received();
    case kInterruptEnable:
      return divisor_latch() ? divisor_high_ : interrupt_enable_;
    case kInterruptId:
      return take_interrupt_id();
    case kLineControl:
      return line_control_;
    case kModemControl:
      return modem_control_;
    case kLineStatus:
      return take_line_status();
    case kModemStatus:
      return take_modem_status();
    default:
      return scratch_;
  }
}

std::uint8_t Serial::take_received() {
  listening_ = true;
  if (received_.empty()) return 0;
  const std::uint8_t value = received_.pop();
  line_errors_ |= received_.take_errors();
  // For what is left the timeout begins anew, and is over.
  timed_out_ = false;
  settle();
  timed_out_ = true;
  return value;
}

std::uint8_t Serial::take_interrupt_id() {
  const Source now = source();
  if (now == Source::thr_empty) thr_empty_pending_ = false;  // reading acknowledges this one
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(now) | (fifos() ? kIirFifos : 0));
}

std::uint8_t Serial::take_line_status() {
  // Who sends reads it before each byte; who reads it again waits for something to come.
  if (std::exchange(looked_, true)) listening_ = true;
  std::uint8_t status = kLsrThrEmpty | kLsrTransmitterEmpty | line_errors_;
  if (!received_.empty()) status |= kLsrDataReady;
  // The errors of the first character have moved to line_errors_ already.
  if (fifos() && ((line_errors_ & kLsrBreak) != 0 || received_.any_errors()))
    status |= kLsrFifoError;
  line_errors_ = 0;
  return status;
}

std::uint8_t Serial::take_modem_status() {
  return modem_inputs() | std::exchange(modem_deltas_, std::uint8_t{0});
}

void Serial::set_register(std::uint64_t offset, std::uint8_t value) {
  switch (offset) {
    case kInterruptEnable:
      if (divisor_latch())
        divisor_high_ = value;
      else
        set_interrupt_enable(value);
      break;
    case kInterruptId:
      set_fifo_control(value);
      break;
    case kLineControl:
      set_line_control(value);
      break;
    case kModemControl:
      set_modem_control(value);
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:
      break;  // LSR and MSR are for reading
  }
}

void Serial::set_interrupt_enable(std::uint8_t value) {
  // Enabling it while THR is empty, which it always is, raises it at once.
  if ((value & ~interrupt_enable_ & kIerThrEmpty) != 0) thr_empty_pending_ = true;
  if ((value & kIerReceivedData) != 0) listening_ = true;
  interrupt_enable_ = value & kIerMask;
}

void Serial::set_fifo_control(std::uint8_t value) {
  // Without the enable bit no other is taken; changing it empties the FIFOs.
  if ((value & kFcrEnable) == 0) value = 0;
  if (((value ^ fifo_control_) & kFcrEnable) != 0 || (value & kFcrResetReceiver) != 0)
    received_.clear();
  fifo_control_ = value;
}

void Serial::set_line_control(std::uint8_t value) {
  const bool before = breaking();
  line_control_ = value;
  if (!before && breaking()) keep(0, kLsrBreak);
}

void Serial::set_modem_control(std::uint8_t value) {
  const std::uint8_t before = modem_inputs();
  const bool broke = breaking();
  modem_control_ = value & kMcrMask;
  const std::uint8_t after = modem_inputs();
  std::uint8_t changed = before ^ after;
  if ((after & kMsrRi) != 0) changed &= static_cast<std::uint8_t>(~kMsrRi);  // only its end counts
  modem_deltas_ |= changed >> kMsrInputShift;
  if (!broke && breaking()) keep(0, kLsrBreak);
}

// THR has been full for a moment.
void Serial::transmitted() {
  thr_empty_pending_ = false;
  settle();
  thr_empty_pending_ = true;
}

void Serial::loop_back(std::uint8_t value) {
  if (!breaking()) keep(value, 0);
}

// A character has come in. One too many is lost, in the FIFO mode the new one, else the old.
void Serial::keep(std::uint8_t value, std::uint8_t errors) {
  if (received_.fill() == depth()) {
    line_errors_ |= kLsrOverrun;
    if (fifos()) return;
    received_.clear();
  }
  received_.push(value, errors);
  if (received_.fill() == 1) line_errors_ |= received_.take_errors();
}

}  // namespace vmctl
