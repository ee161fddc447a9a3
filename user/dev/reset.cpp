// SPDX-License-Identifier: GPL-2.0
#include "dev/reset.hpp"

#include <algorithm>

namespace vmctl {
namespace {

// Of the 8042's status.
constexpr std::uint8_t kOutputFull = 0x01;
constexpr std::uint8_t kSystem = 0x04;  // here and in the command byte
constexpr std::uint8_t kCommandWasLast = 0x08;
constexpr std::uint8_t kNotLocked = 0x10;

// Of its command byte.
constexpr std::uint8_t kKeyboardOff = 0x10;
constexpr std::uint8_t kMouseOff = 0x20;

// Of its output port.
constexpr std::uint8_t kNoReset = 0x01;

enum Command : std::uint8_t {
  kReadCommandByte = 0x20,
  kWriteCommandByte = 0x60,
  kMouseDisable = 0xa7,
  kMouseEnable = 0xa8,
  kSelfTest = 0xaa,
  kKeyboardTest = 0xab,
  kKeyboardDisable = 0xad,
  kKeyboardEnable = 0xae,
  kReadOutputPort = 0xd0,
  kWriteOutputPort = 0xd1,
  kPulse = 0xf0,  // and up: the bits of the output port that are low in it, for some microseconds
};
constexpr std::uint8_t kSelfTestPassed = 0x55;
constexpr std::uint8_t kKeyboardTestPassed = 0x00;

constexpr std::uint8_t kFastReset = 0x01;  // of port A
constexpr std::uint8_t kPortABits = 0x03;

constexpr std::uint8_t kResetCpu = 0x04;  // of RST_CNT
constexpr std::uint8_t kResetControlBits = 0x0e;

}  // namespace

void I8042::Port::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  for (std::uint8_t& byte : data) byte = command_ ? owner_.read_status() : owner_.read_data();
}

void I8042::Port::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  for (const std::uint8_t byte : data)
    command_ ? owner_.write_command(byte) : owner_.write_data(byte);
}

std::uint8_t I8042::read_status() {
  const std::lock_guard guard(mutex_);
  return static_cast<std::uint8_t>(kNotLocked | (command_byte_ & kSystem) |
                                   (output_full_ ? kOutputFull : 0) |
                                   (command_was_last_ ? kCommandWasLast : 0));
}

std::uint8_t I8042::read_data() {
  const std::lock_guard guard(mutex_);
  output_full_ = false;
  return output_;
}

void I8042::write_data(std::uint8_t value) {
  bool reset = false;
  {
    const std::lock_guard guard(mutex_);
    reset = take_data(value);
  }
  if (reset) reset_();
}

void I8042::write_command(std::uint8_t command) {
  bool reset = false;
  {
    const std::lock_guard guard(mutex_);
    reset = take_command(command);
  }
  if (reset) reset_();
}

void I8042::answer(std::uint8_t value) {
  output_ = value;
  output_full_ = true;
}

bool I8042::take_data(std::uint8_t value) {
  command_was_last_ = false;
  switch (std::exchange(awaited_, Awaited::none)) {
    case Awaited::command_byte:
      command_byte_ = value;
      return false;
    case Awaited::output_port:
      output_port_ = value | kNoReset;  // what comes after a reset has it again
      return (value & kNoReset) == 0;
    default:
      return false;  // for a keyboard that is not there
  }
}

bool I8042::take_command(std::uint8_t command) {
  command_was_last_ = true;
  awaited_ = Awaited::none;
  switch (command) {
    case kReadCommandByte:
      answer(command_byte_);
      break;
    case kWriteCommandByte:
      awaited_ = Awaited::command_byte;
      break;
    case kMouseDisable:
      command_byte_ |= kMouseOff;
      break;
    case kMouseEnable:
      command_byte_ &= static_cast<std::uint8_t>(~kMouseOff);
      break;
    case kSelfTest:
      command_byte_ |= kSystem;
      answer(kSelfTestPassed);
      break;
    case kKeyboardTest:
      answer(kKeyboardTestPassed);
      break;
    case kKeyboardDisable:
      command_byte_ |= kKeyboardOff;
      break;
    case kKeyboardEnable:
      command_byte_ &= static_cast<std::uint8_t>(~kKeyboardOff);
      break;
    case kReadOutputPort:
      answer(output_port_);
      break;
    case kWriteOutputPort:
      awaited_ = Awaited::output_port;
      break;
    default:
      return command >= kPulse && (command & kNoReset) == 0;
  }
  return false;
}

void SystemControlA::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  const std::lock_guard guard(mutex_);
  std::fill(data.begin(), data.end(), value_);
}

void SystemControlA::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  bool reset = false;
  {
    const std::lock_guard guard(mutex_);
    for (const std::uint8_t byte : data) {
      reset |= (byte & ~value_ & kFastReset) != 0;
      value_ = byte & kPortABits;
    }
  }
  if (reset) reset_();
}

void ResetControl::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  const std::lock_guard guard(mutex_);
  std::fill(data.begin(), data.end(), value_);
}

void ResetControl::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  bool reset = false;
  {
    const std::lock_guard guard(mutex_);
    for (const std::uint8_t byte : data) {
      reset |= (byte & ~value_ & kResetCpu) != 0;
      value_ = byte & kResetControlBits;
    }
  }
  if (reset) reset_();
}

}  // namespace vmctl
