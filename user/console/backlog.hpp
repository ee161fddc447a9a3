// SPDX-License-Identifier: GPL-2.0
// Output to a reader who may come late, be slow or stay away: what he does not take at once is
// kept, the newest of it, and given to him when he does.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include "console/ring.hpp"
#include "run/ending.hpp"

namespace vmctl {

inline constexpr std::size_t kBacklog = 256 << 10;

// The guest does not wait for a reader who does not read. One who reads, but less fast than the
// guest prints, is waited for, so that he loses nothing: as long as he takes something each second.
// All may be called from any thread.
class Backlog {
 public:
  explicit Backlog(const Ending& ending, std::size_t capacity = kBacklog)
      : ending_(ending), ring_(capacity) {}

  // Who is given the output from now on: an fd that does not block; -1: nobody. The fd stays open
  // until no put() that began before can run any more.
  void set_reader(int fd);

  // Returns 0, or the errno that he was lost with: he is none any more then.
  int put(std::span<const std::uint8_t> bytes);
  // What he has room for. To be called when he has some. Returns the same.
  int flush();

  // When the machine has ended: what is kept goes to a reader who takes it.
  void finish();

  // Whether flush() has something to do when there is room, or when there is a reader.
  bool pending() const;
  // Bytes that are kept, and that were dropped.
  std::uint64_t kept() const;
  std::uint64_t lost() const;

 private:
  int write_out();
  void wait_for_room(std::unique_lock<std::mutex>& guard, std::size_t room, int& error);

  const Ending& ending_;
  mutable std::mutex lock_;  // guards all below
  Ring ring_;
  RingReader reader_;
  int fd_ = -1;
  bool full_ = false;   // he had no room
  bool reads_ = false;  // he has made room lately
};

}  // namespace vmctl
