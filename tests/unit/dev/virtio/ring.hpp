// SPDX-License-Identifier: GPL-2.0
// A virtqueue as a driver lays it out, in memory of its own, and what it writes into it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "bus/memory.hpp"
#include "dev/virtio/queue.hpp"

namespace vmctl::test {

inline constexpr std::uint16_t kNext = 1;
inline constexpr std::uint16_t kWrite = 2;
inline constexpr std::uint16_t kIndirect = 4;

inline GuestMemory guest_memory(std::uint64_t size = 1 << 20) {
  return GuestMemory::create(size, GuestAddr{1ULL << 32}, GuestAddr{1ULL << 32}).value();
}

class Ring {
 public:
  static constexpr std::uint64_t kData = 0x8000;  // free for buffers from here on

  explicit Ring(const GuestMemory& guest, std::uint16_t ring_size = 4, std::uint64_t at = 0x1000)
      : memory(&guest), size(ring_size), base(at) {}

  Virtqueue::Place place(bool indirect = true, bool event_index = false) const {
    return {.size = size,
            .descriptors = GuestAddr{base},
            .available = GuestAddr{available()},
            .used = GuestAddr{used()},
            .indirect = indirect,
            .event_index = event_index};
  }
  std::uint64_t available() const { return base + 16ULL * size; }
  std::uint64_t used() const { return (available() + 6 + 2ULL * size + 3) / 4 * 4; }

  template <class T>
  T get(std::uint64_t at) const {
    T value{};
    std::memcpy(&value, memory->span(GuestAddr{at}, sizeof value).value().data(), sizeof value);
    return value;
  }
  template <class T>
  void put(std::uint64_t at, T value) const {
    std::memcpy(memory->span(GuestAddr{at}, sizeof value).value().data(), &value, sizeof value);
  }
  void text(std::uint64_t at, std::string_view bytes) const {
    std::memcpy(memory->span(GuestAddr{at}, bytes.size()).value().data(), bytes.data(),
                bytes.size());
  }
  std::string text_at(std::uint64_t at, std::size_t length) const {
    const auto bytes = memory->span(GuestAddr{at}, length).value();
    return {bytes.begin(), bytes.end()};
  }

  void descriptor_at(std::uint64_t at, std::uint64_t address, std::uint32_t length,
                     std::uint16_t flags, std::uint16_t next) const {
    put(at, address);
    put(at + 8, length);
    put(at + 12, flags);
    put(at + 14, next);
  }
  void descriptor(std::uint16_t index, std::uint64_t address, std::uint32_t length,
                  std::uint16_t flags = 0, std::uint16_t next = 0) const {
    descriptor_at(base + 16ULL * index, address, length, flags, next);
  }
  void offer(std::uint16_t head) {
    put(available() + 4 + 2ULL * (next_available % size), head);
    put(available() + 2, ++next_available);
  }

  struct Buffer {
    std::uint64_t address;
    std::uint32_t length;
    bool write = false;
  };
  // A chain from `first` on.
  void chain(std::uint16_t first, std::initializer_list<Buffer> buffers) {
    std::uint16_t index = first;
    std::size_t left = buffers.size();
    for (const Buffer& buffer : buffers) {
      const auto next = static_cast<std::uint16_t>(index + 1);
      const bool more = --left > 0;
      descriptor(index, buffer.address, buffer.length,
                 static_cast<std::uint16_t>((buffer.write ? kWrite : 0) | (more ? kNext : 0)),
                 more ? next : std::uint16_t{0});
      index = next;
    }
    offer(first);
  }

  std::uint16_t used_index() const { return get<std::uint16_t>(used() + 2); }
  std::uint32_t used_id(unsigned entry) const {
    return get<std::uint32_t>(used() + 4 + 8ULL * entry);
  }
  std::uint32_t used_length(unsigned entry) const {
    return get<std::uint32_t>(used() + 8 + 8ULL * entry);
  }

  const GuestMemory* memory;
  std::uint16_t size;
  std::uint64_t base;
  std::uint16_t next_available = 0;
};

}  // namespace vmctl::test
