// SPDX-License-Identifier: GPL-2.0-only
//
// A process whose guests count, in memory that its parent sees: whether they run, and whether
// anything was lost while they did not.
#pragma once

#include <sys/types.h>

#include <vector>

#include "driver.hpp"

namespace t {

class Counting {
 public:
  // What it ends with when it cannot go on in its guest.
  static constexpr int kLeft = 3;

  // With so many vCPUs, each in a thread of its own, the first in the main thread.
  explicit Counting(unsigned vcpus = 1);
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
  // Kills it.
  ~Counting();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] unsigned vcpus() const { return vcpus_; }
  [[nodiscard]] std::uint32_t count(unsigned vcpu = 0) const;
  // Each vCPU goes on counting.
  [[nodiscard]] bool runs() const;
  // None does.
  [[nodiscard]] bool stands() const;
  // What each counts in its register and in its memory has not come apart, nor gone back.
  [[nodiscard]] bool is_whole();

  // How it ended, as waitpid() says; -1 if it does not within a generous time.
  int wait();

 private:
  [[noreturn]] void live() const;
  [[nodiscard]] std::vector<std::uint32_t> counts() const;

  unsigned vcpus_;
  Mapping memory_;
  pid_t pid_ = -1;
  std::vector<std::uint32_t> last_;
};

}  // namespace t
