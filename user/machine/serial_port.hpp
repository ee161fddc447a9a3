// SPDX-License-Identifier: GPL-2.0
// A UART and the channel at its other end: what comes in there is received as fast as the guest
// takes it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "dev/serial.hpp"
#include "machine/channel.hpp"
#include "machine/event_loop.hpp"

namespace vmctl {

class SerialPort {
 public:
  // All must outlive it, the loop stopped. `on_end`: no more input will come.
  SerialPort(std::unique_ptr<Channel> channel, InterruptLine& irq, EventLoop& loop,
             std::function<void()> on_end);

  Serial& uart() { return uart_; }
  Channel& channel() { return *channel_; }
  // Whether an interrupt may yet come from outside.
  bool may_interrupt() const;

 private:
  void receive();

  std::unique_ptr<Channel> channel_;
  Serial uart_;
  std::unique_ptr<EventLoop::Watch> watch_;
  std::atomic<bool> ended_ = false;
  std::function<void()> on_end_;
};

}  // namespace vmctl
