// SPDX-License-Identifier: GPL-2.0
#include "net/poll_thread.hpp"

#include "base/undisturbed.hpp"

namespace vmctl {

void PollThread::start(Rounds rounds) {
  // Signals are other threads' to take; a peer that has gone is an error of write().
  const Undisturbed blocked;
  stopped_ = false;
  thread_ = std::thread([this, rounds = std::move(rounds)] { run(rounds); });
}

void PollThread::stop() {
  if (!thread_.joinable()) return;
  stopped_ = true;
  wake_.set();
  thread_.join();
}

void PollThread::run(const Rounds& rounds) {
  std::vector<pollfd> fds;
  while (!stopped_) {
    fds.clear();
    const auto limit = rounds.fill(fds);
    fds.push_back({.fd = wake_.fd(), .events = POLLIN, .revents = 0});
    timespec wait{};
    if (limit)
      wait = {.tv_sec = limit->count() / 1000, .tv_nsec = limit->count() % 1000 * 1'000'000};
    const int found = ::ppoll(fds.data(), fds.size(), limit ? &wait : nullptr, nullptr);
    const bool woken = found > 0 && fds.back().revents != 0;
    fds.pop_back();
    if (woken) wake_.clear();
    if (found < 0)
      for (pollfd& fd : fds) fd.revents = 0;
    if (!stopped_) rounds.ready(fds);
  }
}

}  // namespace vmctl
