// SPDX-License-Identifier: GPL-2.0
// A virtio console and the channel at its other end.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "console/console.hpp"
#include "dev/virtio/console.hpp"
#include "machine/virtio_slot.hpp"

namespace vmctl {

class ConsolePort final : public VirtioPort {
 public:
  ConsolePort(std::unique_ptr<Console> channel, EventLoop& loop);

  ~ConsolePort() override { channel_->on_change({}); }

  VirtioDevice& device() override { return console_; }
  Result<> begin() override { return channel_->begin(); }
  VirtioConsole& console() { return console_; }
  Console& channel() { return *channel_; }

 private:
  void receive();

  std::unique_ptr<Console> channel_;
  VirtioConsole console_;
  std::unique_ptr<EventLoop::Watch> watch_;
  std::unique_ptr<Timer> again_;
  std::vector<std::uint8_t> left_;  // taken from the channel, not by the guest; the loop thread's
};

}  // namespace vmctl
