// SPDX-License-Identifier: GPL-2.0
// Output of a running machine: waits for a slow reader, but never past the machine's end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dev/sink.hpp"
#include "machine/ending.hpp"

namespace vmctl {

// An fd that is written to until the machine stops. May be used from several threads when each
// write is short (PIPE_BUF).
class Output {
 public:
  Output(int fd, const Ending& ending) : fd_(fd), ending_(ending) {}

  // Returns 0, or the errno that kept it from being written; ECANCELED when the machine stopped.
  int write(std::span<const std::uint8_t> bytes) const;

 private:
  bool wait_writable() const;

  int fd_;
  const Ending& ending_;
};

// Standard output as a device's sink. A failure ends the machine.
class Console final : public Sink {
 public:
  Console(int fd, Ending& ending) : output_(fd, ending), ending_(ending) {}

  void put(std::span<const std::uint8_t> bytes) override;

 private:
  Output output_;
  Ending& ending_;
};

}  // namespace vmctl
