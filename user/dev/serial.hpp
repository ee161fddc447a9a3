// SPDX-License-Identifier: GPL-2.0
// A 16550A UART (PC16550D data sheet, National Semiconductor, 1995). The line is infinitely fast: a
// byte written to THR has left before the next access, and what waits below the trigger level has
// timed out at once. Without an error on the line there are no parity and framing errors; a break
// comes only from the chip itself, in loopback.
//
// The interrupt line is high while IIR has something to tell. It falls and rises again where the
// transmitter would have been busy, or a new timeout have to run, for a while: an edge-triggered
// interrupt controller needs to see that. OUT2, which a PC puts between chip and line, does not
// gate it here, as many a guest never sets it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <utility>

#include "bus/device.hpp"
#include "bus/line.hpp"
#include "dev/receive_fifo.hpp"
#include "dev/sink.hpp"

namespace vmctl {

class Serial final : public Device {
 public:
  static constexpr std::uint64_t kSize = 8;

  // The sink is called without a lock held, from whatever thread the guest writes in.
  Serial(Sink& sink, InterruptLine& irq) : sink_(sink), irq_(irq) {}

  // Eight registers of eight bits: longer accesses go to consecutive ones.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;
  // All of a string to THR reaches the sink in one call.
  void write_string(std::uint64_t offset, std::size_t width,
                    std::span<const std::uint8_t> data) override;

  // How many characters from outside there is room for; none in loopback, which cuts them off.
  std::size_t receive_room() const;
  // Takes as many as there is room for, and says how many: the rest stays the caller's.
  std::size_t receive(std::span<const std::uint8_t> bytes);

  // Whether the guest has ever looked for input: read RBR, or LSR twice without sending between, or
  // enabled the interrupt. Before that, input would only be lost to a guest that sets its UART up
  // later.
  bool listening() const;
  // Called whenever a guest that listens has made room where there was none, and when it begins to
  // listen; in the thread of its access, with no lock held. To be set before the first access.
  void on_room(std::function<void()> handler) { on_room_ = std::move(handler); }

  // Whether what comes from outside would raise an interrupt. That is received data alone:
  // receive() never overruns, so that the line status has nothing to report then.
  bool may_interrupt() const;

 private:
  enum class Source : std::uint8_t {
    modem_status = 0x0,
    none = 0x1,
    thr_empty = 0x2,
    received_data = 0x4,
    line_status = 0x6,
    timeout = 0xc,
  };

  std::uint8_t read_register(std::uint64_t offset);
  void write_register(std::uint64_t offset, std::uint8_t value);
  void transmit(std::span<const std::uint8_t> bytes);
  // One access under the lock; then the line is set and on_room() called as need be.
  template <class Act>
  void access(Act act);

  // All that follows: with the lock held.
  std::uint8_t peek_or_take(std::uint64_t offset);
  std::uint8_t take_received();
  std::uint8_t take_interrupt_id();
  std::uint8_t take_line_status();
  std::uint8_t take_modem_status();
  void set_register(std::uint64_t offset, std::uint8_t value);
  void set_interrupt_enable(std::uint8_t value);
  void set_fifo_control(std::uint8_t value);
  void set_line_control(std::uint8_t value);
  void set_modem_control(std::uint8_t value);
  void transmitted();
  void loop_back(std::uint8_t value);
  void keep(std::uint8_t value, std::uint8_t errors);
  bool divisor_latch() const;
  bool loopback() const;
  bool fifos() const;
  bool breaking() const;
  std::size_t depth() const;
  std::size_t trigger() const;
  std::size_t room() const;
  bool can_hear() const;
  std::uint8_t modem_inputs() const;
  Source source() const;
  void settle();

  Sink& sink_;
  InterruptLine& irq_;
  std::function<void()> on_room_;

  mutable std::mutex mutex_;  // guards all below
  ReceiveFifo received_;
  std::uint8_t interrupt_enable_ = 0;
  std::uint8_t fifo_control_ = 0;
  std::uint8_t line_control_ = 0;
  std::uint8_t modem_control_ = 0;
  std::uint8_t line_errors_ = 0;   // of LSR, until it is read
  std::uint8_t modem_deltas_ = 0;  // of MSR, until it is read
  std::uint8_t scratch_ = 0;
  std::uint8_t divisor_low_ = 12;  // 9600 baud, as firmware leaves it
  std::uint8_t divisor_high_ = 0;
  bool thr_empty_pending_ = false;  // the THRE interrupt has come and was not yet read
  bool timed_out_ = true;           // false for the moment in which a timeout would begin anew
  bool listening_ = false;
  bool looked_ = false;  // LSR was read, and nothing sent since
  bool level_ = false;   // of the line
};

}  // namespace vmctl
