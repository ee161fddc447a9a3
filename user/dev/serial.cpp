// SPDX-License-Identifier: GPL-2.0
#include "dev/serial.hpp"

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
constexpr std::uint8_t kIerThrEmpty = 0x02;
constexpr std::uint8_t kIirNone = 0x01;
constexpr std::uint8_t kIirThrEmpty = 0x02;
constexpr std::uint8_t kIirFifos = 0xc0;
constexpr std::uint8_t kFcrEnable = 0x01;
constexpr std::uint8_t kLcrDivisorLatch = 0x80;
constexpr std::uint8_t kMcrMask = 0x1f;
constexpr std::uint8_t kMcrLoopback = 0x10;
constexpr std::uint8_t kLsrThrEmpty = 0x20;
constexpr std::uint8_t kLsrTransmitterEmpty = 0x40;
constexpr std::uint8_t kMsrCts = 0x10;
constexpr std::uint8_t kMsrDsr = 0x20;
constexpr std::uint8_t kMsrDcd = 0x80;

}  // namespace

void Serial::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  for (std::uint8_t& byte : data) byte = read_register(offset++);
}

void Serial::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  for (const std::uint8_t byte : data) write_register(offset++, byte);
}

bool Serial::divisor_latch() const {
  return (line_control_ & kLcrDivisorLatch) != 0;
}

std::uint8_t Serial::interrupt_id() const {
  const std::uint8_t fifos = (fifo_control_ & kFcrEnable) != 0 ? kIirFifos : std::uint8_t{0};
  const bool pending = thr_empty_pending_ && (interrupt_enable_ & kIerThrEmpty) != 0;
  return fifos | (pending ? kIirThrEmpty : kIirNone);
}

std::uint8_t Serial::modem_status() const {
  if ((modem_control_ & kMcrLoopback) == 0) return kMsrCts | kMsrDsr | kMsrDcd;
  // In loopback the four outputs are wired to the four inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD.
  const std::uint8_t outputs = modem_control_;
  return static_cast<std::uint8_t>((outputs & 0x02) << 3 | (outputs & 0x01) << 5 |
                                   (outputs & 0x0c) << 4);
}

std::uint8_t Serial::read_register(std::uint64_t offset) {
  switch (offset) {
    case kData:
      return divisor_latch() ? divisor_low_ : std::uint8_t{0};  // nothing is ever received
    case kInterruptEnable:
      return divisor_latch() ? divisor_high_ : interrupt_enable_;
    case kInterruptId: {
      const std::uint8_t id = interrupt_id();
      if ((id & kIirThrEmpty) != 0) thr_empty_pending_ = false;  // reading acknowledges this one
      return id;
    }
    case kLineControl:
      return line_control_;
    case kModemControl:
      return modem_control_;
    case kLineStatus:
      return kLsrThrEmpty | kLsrTransmitterEmpty;
    case kModemStatus:
      return modem_status();
    case kScratch:
      return scratch_;
    default:
      return 0xff;
  }
}

void Serial::write_register(std::uint64_t offset, std::uint8_t value) {
  switch (offset) {
    case kData:
      if (divisor_latch()) {
        divisor_low_ = value;
        break;
      }
      if ((modem_control_ & kMcrLoopback) == 0) sink_.put({&value, 1});
      thr_empty_pending_ = true;
      break;
    case kInterruptEnable:
      if (divisor_latch()) {
        divisor_high_ = value;
        break;
      }
      // Enabling it while THR is empty, which it always is, raises it at once.
      if ((value & kIerThrEmpty) != 0 && (interrupt_enable_ & kIerThrEmpty) == 0)
        thr_empty_pending_ = true;
      interrupt_enable_ = value & kIerMask;
      break;
    case kInterruptId:
      fifo_control_ = value;
      break;
    case kLineControl:
      line_control_ = value;
      break;
    case kModemControl:
      modem_control_ = value & kMcrMask;
      break;
    case kScratch:
      scratch_ = value;
      break;
    default:
      break;  // LSR and MSR are for reading
  }
}

}  // namespace vmctl
