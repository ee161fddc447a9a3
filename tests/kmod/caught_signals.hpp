// SPDX-License-Identifier: GPL-2.0-only
//
// Signals that are caught and counted, and nothing more.
#pragma once

#include <atomic>
#include <csignal>
#include <utility>
#include <vector>

namespace t {

// As long as it lives; one at a time, which counts from 0.
class CaughtSignals {
 public:
  explicit CaughtSignals(const std::vector<int>& numbers, int flags = 0) {
    count_ = 0;
    struct sigaction act {};
    act.sa_handler = [](int /*number*/) { ++count_; };
    act.sa_flags = flags;
    for (const int number : numbers) {
      struct sigaction old {};
      ::sigaction(number, &act, &old);
      before_.emplace_back(number, old);
    }
  }
  CaughtSignals(const CaughtSignals&) = delete;
  CaughtSignals& operator=(const CaughtSignals&) = delete;
  ~CaughtSignals() {
    for (const auto& [number, old] : before_) ::sigaction(number, &old, nullptr);
  }

  [[nodiscard]] static int count() { return count_; }
  static void forget() { count_ = 0; }

 private:
  static inline std::atomic<int> count_ = 0;
  std::vector<std::pair<int, struct sigaction>> before_;
};

}  // namespace t
