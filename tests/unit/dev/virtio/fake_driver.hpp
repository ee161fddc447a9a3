// SPDX-License-Identifier: GPL-2.0
// A driver's side of virtqueues in memory of its own, and a transport without a bus between.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/memory.hpp"
#include "dev/virtio/device.hpp"

namespace vmctl::test {

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// One queue as the driver has laid it out, from `base` on.
class FakeQueue {
 public:
  static constexpr std::uint16_t kSize = 8;
  static constexpr std::uint64_t kRings = 0x1000;  // before the buffers

  struct Used {
    std::uint16_t head;
    std::uint32_t length;
    std::string bytes;  // of what the device may write, that many
  };

  FakeQueue(const GuestMemory& memory, std::uint64_t base)
      : memory_(memory), base_(base), next_buffer_(base + kRings) {}

  Virtqueue make() const {
    return *Virtqueue::make(memory_, {.size = kSize,
                                      .descriptors = GuestAddr{base_},
                                      .available = GuestAddr{base_ + 0x400},
                                      .used = GuestAddr{base_ + 0x800}});
  }

  // A chain: what the device reads, then pieces of these sizes for it to write.
  void offer(const std::vector<std::string>& readable, const std::vector<std::uint32_t>& writable) {
    const std::uint16_t head = next_descriptor_;
    std::vector<Descriptor> chain;
    for (const std::string& text : readable) {
      chain.push_back({next_buffer_, static_cast<std::uint32_t>(text.size()), 0, 0});
      std::memcpy(at(next_buffer_, text.size()), text.data(), text.size());
      next_buffer_ += text.size();
    }
    writable_[head].clear();
    for (const std::uint32_t size : writable) {
      chain.push_back({next_buffer_, size, 2, 0});
      writable_[head].emplace_back(next_buffer_, size);
      next_buffer_ += size;
    }
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const std::uint16_t index = next_descriptor_;
      next_descriptor_ = static_cast<std::uint16_t>((next_descriptor_ + 1) % kSize);
      if (i + 1 < chain.size()) {
        chain[i].flags |= 1;
        chain[i].next = next_descriptor_;
      }
      put(base_ + index * sizeof(Descriptor), chain[i]);
    }
    put(base_ + 0x404 + available_ % kSize * 2, head);
    put(base_ + 0x402, ++available_);
  }

  // What the device has given back next.
  std::optional<Used> take() {
    if (get<std::uint16_t>(base_ + 0x802) == taken_) return std::nullopt;
    const auto entry = base_ + 0x804 + taken_++ % kSize * 8;
    Used used{get<std::uint16_t>(entry), get<std::uint32_t>(entry + 4), ""};
    for (const auto& [address, size] : writable_[used.head])
      used.bytes.append(reinterpret_cast<const char*>(at(address, size)), size);
    used.bytes.resize(std::min<std::size_t>(used.bytes.size(), used.length));
    return used;
  }

  // A head that is none: breaks the rules.
  void offer_nonsense() {
    put(base_ + 0x404 + available_ % kSize * 2, std::uint16_t{kSize});
    put(base_ + 0x402, ++available_);
  }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  std::uint8_t* at(std::uint64_t address, std::size_t size) const {
    return memory_.span(GuestAddr{address}, size)->data();
  }
  template <class T>
  void put(std::uint64_t address, const T& value) {
    std::memcpy(at(address, sizeof value), &value, sizeof value);
  }
  template <class T>
  T get(std::uint64_t address) const {
    T value;
    std::memcpy(&value, at(address, sizeof value), sizeof value);
    return value;
  }

  const GuestMemory& memory_;
  std::uint64_t base_;
  std::uint64_t next_buffer_;
  std::uint16_t next_descriptor_ = 0;
  std::uint16_t available_ = 0;
  std::uint16_t taken_ = 0;
  std::map<std::uint16_t, std::vector<std::pair<std::uint64_t, std::uint32_t>>> writable_;
};

// Two queues, for one device.
class DrivenTransport final : public VirtioTransport {
 public:
  explicit DrivenTransport(VirtioDevice& device, std::uint64_t features)
      : device_(device), features_(features) {
    device.attach(*this);
  }

  void start() {
    const std::lock_guard guard(lock_);
    live_ = true;
    for (std::size_t i = 0; i < queues_.size(); ++i) queues_[i] = rings_[i].make();
    device_.start();
  }
  void stop() {
    const std::lock_guard guard(lock_);
    live_ = false;
    device_.stop();
    for (auto& queue : queues_) queue.reset();
  }
  Result<> serve(unsigned index) {
    const std::lock_guard guard(lock_);
    return device_.serve(index);
  }
  FakeQueue& ring(unsigned index) { return rings_[index]; }

  std::uint64_t features() const override { return features_; }
  Virtqueue* queue(unsigned index) override { return queues_[index] ? &*queues_[index] : nullptr; }
  void interrupt(unsigned index) override { ++interrupts[index]; }
  void again(unsigned index) override { ++asked_again[index]; }
  bool with_queues(const std::function<Result<>()>& act) override {
    const std::lock_guard guard(lock_);
    if (live_) broken = broken || !act();
    return live_;
  }
  void update_config(const std::function<void()>& act) override { act(); }

  std::array<unsigned, 2> interrupts{};
  std::array<unsigned, 2> asked_again{};
  bool broken = false;

 private:
  static constexpr std::uint64_t kMemory = 16 << 20;
  VirtioDevice& device_;
  std::uint64_t features_;
  std::mutex lock_;
  bool live_ = false;
  GuestMemory memory_ = *GuestMemory::create(kMemory, GuestAddr{kMemory}, GuestAddr{1ULL << 32});
  std::array<FakeQueue, 2> rings_{FakeQueue(memory_, 0x10000), FakeQueue(memory_, 8 << 20)};
  std::array<std::optional<Virtqueue>, 2> queues_;
};

}  // namespace vmctl::test
