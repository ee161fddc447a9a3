// SPDX-License-Identifier: GPL-2.0
// Keeps vCPUs from the guest while it is pulled. A vCPU looks at it only when something has brought
// it out of KVM_RUN without an exit, so whoever pulls it kicks them all.
#pragma once

#include <poll.h>

#include <array>
#include <atomic>

#include "base/event.hpp"
#include "run/ending.hpp"

namespace vmctl {

class Brake {
 public:
  explicit Brake(const Ending& ending) : ending_(ending) { released_.set(); }

  bool pulled() const { return pulled_; }
  // By one thread at a time.
  void pull() {
    released_.clear();
    pulled_ = true;
  }
  void release() {
    pulled_ = false;
    released_.set();
  }

  // On a vCPU's thread: until it is released, or the machine is to stop.
  void wait() const {
    std::array<pollfd, 2> fds{{{.fd = released_.fd(), .events = POLLIN, .revents = 0},
                               {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0}}};
    while (pulled_ && !ending_.stopping()) ::poll(fds.data(), fds.size(), -1);
  }

 private:
  const Ending& ending_;
  std::atomic<bool> pulled_ = false;
  Event released_;  // readable while it is not pulled
};

}  // namespace vmctl
