// SPDX-License-Identifier: GPL-2.0
// The bytes of a descriptor chain: pieces of guest memory in order, which read as one. How the
// driver has cut them says nothing (virtio 1.2, 2.7.4.1), so that devices see offsets alone.
// The guest may change the bytes at any time: copy once, then check the copy.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace vmctl {

// `Byte` is const for what the device may only read.
template <class Byte>
class Pieces {
 public:
  void clear() {
    pieces_.clear();
    size_ = 0;
  }
  void add(std::span<Byte> piece) {
    pieces_.push_back(piece);
    size_ += piece.size();
  }

  std::uint64_t size() const { return size_; }

  // What lies from `offset` on, at most `length` bytes of it, as readv(2) and writev(2) want it.
  std::vector<iovec> iovecs(std::uint64_t offset, std::uint64_t length) const {
    std::vector<iovec> vectors;
    each(offset, length, [&](std::span<Byte> part) {
      vectors.push_back({const_cast<std::uint8_t*>(part.data()), part.size()});
    });
    return vectors;
  }

  // Copies out of the guest; says how many of the bytes there were.
  std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    std::size_t done = 0;
    each(offset, into.size(), [&](std::span<Byte> part) {
      std::copy(part.begin(), part.end(), into.begin() + static_cast<std::ptrdiff_t>(done));
      done += part.size();
    });
    return done;
  }

  // Copies into the guest; says for how many of the bytes there was room.
  std::size_t write(std::uint64_t offset, std::span<const std::uint8_t> from) const
      requires(!std::is_const_v<Byte>) {
    std::size_t done = 0;
    each(offset, from.size(), [&](std::span<Byte> part) {
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(done), part.size(), part.begin());
      done += part.size();
    });
    return done;
  }

  // A structure as it stands there; false, and nothing of it, if it is not all there.
  template <class T>
  bool read_struct(std::uint64_t offset, T& value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > size_ || size_ - offset < sizeof value) return false;
    read(offset, {reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return true;
  }

 private:
  template <class Act>
  void each(std::uint64_t offset, std::uint64_t length, Act act) const {
    for (const std::span<Byte> piece : pieces_) {
      if (length == 0) return;
      if (offset >= piece.size()) {
        offset -= piece.size();
        continue;
      }
      const std::span<Byte> rest = piece.subspan(static_cast<std::size_t>(offset));
      const std::span<Byte> part =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), length)));
      act(part);
      offset = 0;
      length -= part.size();
    }
  }

  std::vector<std::span<Byte>> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace vmctl
