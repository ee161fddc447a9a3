// SPDX-License-Identifier: GPL-2.0
// A 16550A UART, transmit side (PC16550D data sheet, National Semiconductor, 1995). The line is
// infinitely fast: a byte written to THR has left before the next access.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "bus/device.hpp"
#include "dev/sink.hpp"

namespace vmctl {

class Serial final : public Device {
 public:
  static constexpr std::uint64_t kSize = 8;

  explicit Serial(Sink& sink) : sink_(sink) {}

  // The bus is eight bits wide: longer accesses go to consecutive registers.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  std::uint8_t read_register(std::uint64_t offset);
  void write_register(std::uint64_t offset, std::uint8_t value);
  bool divisor_latch() const;
  std::uint8_t interrupt_id() const;
  std::uint8_t modem_status() const;

  Sink& sink_;
  std::uint8_t interrupt_enable_ = 0;
  std::uint8_t fifo_control_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t modem_control_ = 0;
  std::uint8_t scratch_ = 0;
  std::uint8_t divisor_low_ = 0;
  std::uint8_t divisor_high_ = 0;
  bool thr_empty_pending_ = false;  // the THRE interrupt has come and was not yet read
};

}  // namespace vmctl
