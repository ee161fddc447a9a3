// SPDX-License-Identifier: GPL-2.0
// A UART and the channel at its other end: what comes in there is received as fast as the guest
// takes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "console/channel.hpp"
#include "dev/serial.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

class SerialPort {
 public:
  // All must outlive it, the loop stopped, which the channel runs on. `on_end`: no more input will
  // come.
  SerialPort(Channel& channel, InterruptLine& irq, EventLoop& loop, std::function<void()> on_end);
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;
  ~SerialPort();

  Serial& uart() { return uart_; }
  Channel& channel() { return channel_; }
  // Whether an interrupt may yet come from outside.
  bool may_interrupt() const;

 private:
  void wait_for_input();
  void receive();
  void take_from_channel();

  Channel& channel_;
  Serial uart_;
  std::unique_ptr<EventLoop::Watch> watch_;
  std::unique_ptr<Timer> again_;
  std::vector<std::uint8_t> left_;  // taken from the channel, not by the UART; the loop thread's
  std::atomic<bool> some_left_ = false;
  std::atomic<bool> ended_ = false;
  std::function<void()> on_end_;
};

}  // namespace vmctl
