// SPDX-License-Identifier: GPL-2.0
// The last of a stream of bytes: readers hold a position in the stream, and learn how much of it
// they were too late for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmctl {

// Positions count the bytes of the stream from its start. Not for several threads at once.
class Ring {
 public:
  // `capacity` more than 0; memory is taken as it is needed.
  explicit Ring(std::size_t capacity) : capacity_(capacity) {}

  // Always takes all; the oldest go.
  void write(std::span<const std::uint8_t> bytes);

  // From the oldest that is there to behind the newest.
  std::uint64_t begin() const { return end_ - bytes_.size(); }
  std::uint64_t end() const { return end_; }
  std::size_t capacity() const { return capacity_; }

  // What is there in one piece from a position on, which lies within begin() and end(). Until the
  // next write.
  std::span<const std::uint8_t> at(std::uint64_t position) const;

 private:
  std::size_t capacity_;
  std::vector<std::uint8_t> bytes_;  // grows to the capacity; then the oldest stands at next_
  std::size_t next_ = 0;
  std::uint64_t end_ = 0;
};

// A reader's place in a Ring, and what it is to be given next.
class RingReader {
 public:
  explicit RingReader(std::uint64_t position = 0) : position_(position) {}

  // The next bytes, empty if there are none: of the ring, or of "[N bytes lost]" in the place of
  // what was lost. Until the next write.
  std::span<const std::uint8_t> next(const Ring& ring);
  // So many of them were taken.
  void took(std::size_t count);

  // Bytes of the ring that are still to come.
  std::uint64_t behind(const Ring& ring) const { return ring.end() - position_; }
  // How many were lost to it.
  std::uint64_t lost() const { return lost_; }

 private:
  std::uint64_t position_;
  std::uint64_t lost_ = 0;
  std::uint64_t untold_ = 0;  // of these
  std::string notice_;        // what is left to give of it
};

}  // namespace vmctl
