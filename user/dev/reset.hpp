// SPDX-License-Identifier: GPL-2.0
// The three ways in which a PC's software resets it, besides a triple fault. Each calls its handler
// with no lock held, from whatever thread the guest writes in. Address line 20 is always on here:
// its bits are kept and change nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "bus/device.hpp"

namespace vmctl {

// The keyboard controller, an 8042 with the PC/AT's firmware, and nothing plugged into it: what is
// sent to keyboard or mouse is lost, and no interrupt ever comes.
class I8042 {
 public:
  explicit I8042(std::function<void()> reset) : reset_(std::move(reset)) {}

  // One byte each.
  Device& data() { return data_; }        // port 0x60
  Device& command() { return command_; }  // port 0x64

 private:
  class Port final : public Device {
   public:
    Port(I8042& owner, bool command) : owner_(owner), command_(command) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    I8042& owner_;
    bool command_;
  };
  // What the next byte of data is for.
  enum class Awaited : std::uint8_t { none, command_byte, output_port };

  std::uint8_t read_data();
  std::uint8_t read_status();
  void write_data(std::uint8_t value);
  void write_command(std::uint8_t command);

  // With the lock held. True if it is a reset.
  bool take_data(std::uint8_t value);
  bool take_command(std::uint8_t command);
  void answer(std::uint8_t value);

  std::function<void()> reset_;
  Port data_{*this, false};
  Port command_{*this, true};

  std::mutex mutex_;  // guards all below
  std::uint8_t command_byte_ = 0;
  std::uint8_t output_port_ = 0x03;  // no reset, A20 on
  std::uint8_t output_ = 0;
  bool output_full_ = false;
  bool command_was_last_ = false;
  Awaited awaited_ = Awaited::none;
};

// System control port A of the PS/2, port 0x92: bit 0 resets where it becomes set, bit 1 is A20.
class SystemControlA final : public Device {
 public:
  static constexpr std::uint64_t kSize = 1;

  explicit SystemControlA(std::function<void()> reset) : reset_(std::move(reset)) {}

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  std::function<void()> reset_;
  std::mutex mutex_;
  std::uint8_t value_ = 0x02;  // under mutex_
};

// The reset control register of Intel's chipsets, port 0xcf9 (RST_CNT in the PCH's data sheets):
// SYS_RST and FULL_RST say which reset RST_CPU makes where it becomes set. All are the same here.
class ResetControl final : public Device {
 public:
  static constexpr std::uint64_t kSize = 1;
  static constexpr std::uint8_t kReset = 0x06;  // SYS_RST, RST_CPU: resets, written once

  explicit ResetControl(std::function<void()> reset) : reset_(std::move(reset)) {}

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  std::function<void()> reset_;
  std::mutex mutex_;
  std::uint8_t value_ = 0;  // under mutex_
};

}  // namespace vmctl
