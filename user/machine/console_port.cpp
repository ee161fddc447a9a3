// SPDX-License-Identifier: GPL-2.0
#include "machine/console_port.hpp"

#include <cstddef>

namespace vmctl {
namespace {

constexpr std::size_t kAtOnce = 4096;

}  // namespace

ConsolePort::ConsolePort(std::unique_ptr<Console> channel, EventLoop& loop)
    : channel_(std::move(channel)),
      console_(*channel_),
      watch_(loop.watch([this] { receive(); })),
      again_(loop.timer([this] { receive(); })) {
  channel_->run_on(loop);
  channel_->size().on_change(
      [this](TerminalSize size) { console_.resize(size.columns, size.rows); });
  // Not before there is a driver that listens.
  console_.on_room([this] { again_->set(Time::zero()); });
  channel_->on_change([this] { again_->set(Time::zero()); });
}

// On the loop's thread, when there is input, or room for what is left of it.
void ConsolePort::receive() {
  if (left_.empty()) {
    left_.resize(kAtOnce);
    left_.resize(channel_->take(left_));
  }
  const std::size_t taken = console_.receive(left_);
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(taken));
  watch_->set(left_.empty() ? channel_->input_fd() : -1);
  if (left_.empty() && channel_->has_input()) again_->set(Time::zero());
}

}  // namespace vmctl
