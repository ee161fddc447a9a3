// SPDX-License-Identifier: GPL-2.0
#include "machine/serial_port.hpp"

#include <algorithm>
#include <cstddef>

namespace vmctl {
namespace {

constexpr std::size_t kAtOnce = 64;

}  // namespace

SerialPort::SerialPort(std::unique_ptr<Channel> channel, InterruptLine& irq, EventLoop& loop,
                       std::function<void()> on_end)
    : channel_(std::move(channel)),
      uart_(*channel_, irq),
      watch_(loop.watch([this] { receive(); })),
      again_(loop.timer([this] { receive(); })),
      ended_(channel_->ended()),
      on_end_(std::move(on_end)) {
  uart_.on_room([this] {
    if (ended_) return;
    watch_->set(channel_->input_fd());
    if (some_left_) again_->set(Time::zero());
  });
  channel_->on_change([this] {
    if (uart_.listening()) watch_->set(channel_->input_fd());
  });
}

bool SerialPort::may_interrupt() const {
  return !ended_ && uart_.may_interrupt();
}

void SerialPort::take_from_channel() {
  left_.resize(std::min<std::size_t>(uart_.receive_room(), kAtOnce));
  if (!left_.empty()) left_.resize(channel_->take(left_));
}

// On the loop's thread, when there is input, or room for what is left of it.
void SerialPort::receive() {
  if (left_.empty()) take_from_channel();
  some_left_ = true;  // until it is known, so that no room is overlooked
  // The guest may have left less room meanwhile than it had.
  const std::size_t taken = uart_.receive(left_);
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(taken));
  some_left_ = !left_.empty();

  const int fd = channel_->input_fd();
  const bool full = uart_.receive_room() == 0;
  watch_->set(full ? -1 : fd);
  // on_room() sets it again; and may have, just before.
  if (full && uart_.receive_room() > 0) watch_->set(fd);
  if (!channel_->ended() || !left_.empty()) return;
  ended_ = true;
  on_end_();
}

}  // namespace vmctl
