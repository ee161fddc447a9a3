// SPDX-License-Identifier: GPL-2.0
// Output of a running machine: waits for a slow reader, but never past the machine's end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "run/ending.hpp"

namespace vmctl {

// An fd that is written to until the machine stops, with one system call for a byte as for a line.
// A thread that waits in it must be kicked when the machine stops. May be used from several threads
// when each write is short (PIPE_BUF).
class Output {
 public:
  Output(int fd, const Ending& ending) : fd_(fd), ending_(ending) {}

  // Returns 0, or the errno that kept it from being written; ECANCELED when the machine stopped.
  int write(std::span<const std::uint8_t> bytes) const;

 private:
  bool stops() const;
  void wait() const;

  int fd_;
  const Ending& ending_;
};

// What write() came to, for the user: a failure ends the machine, a stop is none.
void report_output(int error, std::string_view name, Ending& ending);

}  // namespace vmctl
