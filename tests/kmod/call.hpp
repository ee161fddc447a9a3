// SPDX-License-Identifier: GPL-2.0-only
//
// A call in a thread of its own, that may wait and can be signalled.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "sys.hpp"

namespace t {

class Call {
 public:
  explicit Call(std::function<Ret()> act)
      : thread_([this, act = std::move(act)] {
          id_ = ::gettid();
          result_ = act();
          back_ = true;
        }) {
    while (id_ == 0) std::this_thread::yield();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { thread_.join(); }

  [[nodiscard]] bool back() const { return back_; }
  [[nodiscard]] bool comes_back() const {
    return eventually([&] { return back_.load(); });
  }
  // Once it is back.
  [[nodiscard]] Ret result() const { return result_; }
  // It is in a system call and sleeps, or in the guest.
  [[nodiscard]] bool sleeps() const {
    const std::string path = "/proc/self/task/" + std::to_string(id_) + "/stat";
    return eventually([&] {
      const std::string stat = slurp(path);
      const auto end = stat.rfind(") ");
      return end != std::string::npos && (stat[end + 2] == 'S' || stat[end + 2] == 'D');
    });
  }
  void signal() const { ::tgkill(::getpid(), id_, SIGUSR1); }
  // Again, should the first have come before it slept.
  [[nodiscard]] bool is_ended_by_signals() const {
    return eventually([&] {
      if (!back_) signal();
      return back_.load();
    });
  }

 private:
  std::atomic<pid_t> id_ = 0;
  std::atomic<bool> back_ = false;
  Ret result_ = 0;
  std::thread thread_;
};

}  // namespace t
