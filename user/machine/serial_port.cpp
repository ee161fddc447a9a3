// SPDX-License-Identifier: GPL-2.0
#include "machine/serial_port.hpp"

#include <algorithm>
#include <cstddef>

namespace vmctl {
namespace {

constexpr std::size_t kAtOnce = 64;

}  // namespace

SerialPort::SerialPort(Channel& channel, InterruptLine& irq, EventLoop& loop,
                       std::function<void()> on_end)
    : channel_(channel),
      uart_(channel_, irq),
      watch_(loop.watch([this] { receive(); })),
      again_(loop.timer([this] { receive(); })),
      on_end_(std::move(on_end)) {
  uart_.on_room([this] {
    if (!ended_) wait_for_input();
  });
  channel_.on_change([this] {
    if (uart_.listening()) again_->set(Time::zero());
  });
  channel_.ask_listening([this] { return uart_.listening(); });
}

SerialPort::~SerialPort() {
  channel_.on_change({});
  channel_.ask_listening({});
}

bool SerialPort::may_interrupt() const {
  return !ended_ && (some_left_ || !channel_.ended()) && uart_.may_interrupt();
}

void SerialPort::wait_for_input() {
  watch_->set(channel_.input_fd());
  if (some_left_ || channel_.has_input()) again_->set(Time::zero());
}

void SerialPort::take_from_channel() {
  left_.resize(std::min<std::size_t>(uart_.receive_room(), kAtOnce));
  if (!left_.empty()) left_.resize(channel_.take(left_));
}

// On the loop's thread, when there is input, or room for what is left of it.
void SerialPort::receive() {
  if (left_.empty()) take_from_channel();
  some_left_ = true;  // until it is known, so that no room is overlooked
  // The guest may have left less room meanwhile than it had.
  const std::size_t taken = uart_.receive(left_);
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(taken));
  some_left_ = !left_.empty();

  watch_->set(-1);
  // on_room() sets it again if it is full; and may have, just before.
  if (uart_.receive_room() > 0) wait_for_input();
  if (!channel_.ended() || !left_.empty()) return;
  ended_ = true;
  on_end_();
}

}  // namespace vmctl
