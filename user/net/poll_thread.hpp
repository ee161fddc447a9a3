// SPDX-License-Identifier: GPL-2.0
// A thread that waits for a set of fds which changes with each round.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "base/event.hpp"

namespace vmctl {

class PollThread {
 public:
  // The thread's own: fill() adds what to wait for, and says how long at most; ready() is given the
  // same fds with what poll(2) has found.
  struct Rounds {
    std::function<std::optional<std::chrono::milliseconds>(std::vector<pollfd>&)> fill;
    std::function<void(const std::vector<pollfd>&)> ready;
  };

  PollThread() = default;
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;
  ~PollThread() { stop(); }

  void start(Rounds rounds);
  // Begins a new round. From any thread.
  void wake() const { wake_.set(); }
  // The thread has ended when this returns. Not from it.
  void stop();

 private:
  void run(const Rounds& rounds);

  Event wake_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace vmctl
