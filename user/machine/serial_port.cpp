// SPDX-License-Identifier: GPL-2.0
#include "machine/serial_port.hpp"

#include <algorithm>
#include <array>

namespace vmctl {

SerialPort::SerialPort(std::unique_ptr<Channel> channel, InterruptLine& irq, EventLoop& loop,
                       std::function<void()> on_end)
    : channel_(std::move(channel)),
      uart_(*channel_, irq),
      watch_(loop.watch([this] { receive(); })),
      ended_(channel_->input_fd() < 0),
      on_end_(std::move(on_end)) {
  uart_.on_room([this] {
    if (!ended_) watch_->set(channel_->input_fd());
  });
}

bool SerialPort::may_interrupt() const {
  return !ended_ && uart_.may_interrupt();
}

// On the loop's thread.
void SerialPort::receive() {
  std::array<std::uint8_t, 64> buffer{};
  const std::size_t room = std::min(uart_.receive_room(), buffer.size());
  if (room == 0) {
    watch_->set(-1);  // on_room() sets it again; and may have, just now:
    if (uart_.receive_room() > 0) watch_->set(channel_->input_fd());
    return;
  }
  const std::size_t got = channel_->take(std::span(buffer).first(room));
  uart_.receive(std::span(buffer).first(got));
  const int fd = channel_->input_fd();
  watch_->set(fd);
  if (fd >= 0) return;
  ended_ = true;
  on_end_();
}

}  // namespace vmctl
