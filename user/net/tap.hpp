// SPDX-License-Identifier: GPL-2.0
// The card's cable leads to a tap interface of the host (Documentation/networking/tuntap.rst).
#pragma once

#include <atomic>

#include "base/fd.hpp"
#include "net/backend.hpp"
#include "net/poll_thread.hpp"

namespace vmctl {

class Tap final : public NetBackend {
 public:
  // The interface is made where it is missing, if we may do that, and then goes with us.
  static Result<std::unique_ptr<NetBackend>> open(const std::string& interface);
  // Takes an fd that gives and takes a frame with each read and write, and does not block.
  explicit Tap(Fd fd) : fd_(std::move(fd)) {}
  ~Tap() override { stop(); }

  void start(std::function<bool()> arrived) override;
  void resume() override;
  void stop() override { thread_.stop(); }
  void send(std::span<const std::uint8_t> frame) override;
  std::size_t receive(std::span<std::uint8_t> room) override;

 private:
  Fd fd_;
  std::atomic<bool> paused_ = false;  // no buffers: the host's queue holds what comes
  PollThread thread_;
};

}  // namespace vmctl
