// SPDX-License-Identifier: GPL-2.0
// A driver that does what it likes with its memory and two queues, without a bus between it and
// the device.
#pragma once

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "bus/memory.hpp"
#include "dev/virtio/device.hpp"
#include "property.hpp"

namespace vmctl::fuzz {

class HostileDriver final : public VirtioTransport {
 public:
  HostileDriver(VirtioDevice& device, std::uint64_t features)
      : device_(device), features_(features) {
    device.attach(*this);
    reset();
  }
  ~HostileDriver() override { device_.stop(); }

  // One step that the input asks for; the rest of steps is the caller's: what is left of the
  // number that chose it.
  std::optional<unsigned> step(Input& input) {
    const auto what = input.number<std::uint8_t>();
    const unsigned index = what & 1;
    switch (what >> 1 & 7) {
      case 0:
        poke(input.number<std::uint16_t>(), input.bytes(input.number<std::uint8_t>()));
        break;
      case 1:
        descriptor(index, input);
        break;
      case 2:
        offer(index, input.number<std::uint8_t>());
        break;
      case 3:
        serve(index);
        break;
      case 4:
        if (index == 0) reset();
        break;
      default:
        return what >> 4;
    }
    return std::nullopt;
  }
  // Puts bytes into memory and makes them a chain of a readable and a writable piece.
  void request(unsigned index, std::span<const std::uint8_t> bytes, std::uint16_t room) {
    poke(kBuffers, bytes);
    put_descriptor(index, 0, {kBuffers, static_cast<std::uint32_t>(bytes.size()), 1, 1});
    put_descriptor(index, 1, {kBuffers + 0x4000, std::min<std::uint32_t>(room, 0x4000), 2, 0});
    offer(index, 0);
    serve(index);
  }

  std::uint64_t features() const override { return features_; }
  Virtqueue* queue(unsigned index) override { return queues_[index] ? &*queues_[index] : nullptr; }
  void interrupt(unsigned index) override { queues_[index]->wants_interrupt(); }
  void again(unsigned /*index*/) override {}
  bool with_queues(const std::function<Result<>()>& act) override {
    if (live_ && is_error(act())) stop();
    return live_;
  }
  void update_config(const std::function<void()>& act) override { act(); }

 private:
  static constexpr std::uint16_t kQueueSize = 8;
  static constexpr std::size_t kMemory = 0x10000;
  static constexpr std::uint64_t kBuffers = 0x4000;
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };

  static std::uint64_t base(unsigned index) { return index * 0x1000ULL; }

  void reset() {
    if (live_) device_.stop();
    available_ = {};
    for (unsigned index = 0; index < queues_.size(); ++index) {
      poke(base(index), std::array<std::uint8_t, 0x1000>{});
      queues_[index] =
          *Virtqueue::make(memory_, {.size = kQueueSize,
                                     .descriptors = GuestAddr{base(index)},
                                     .available = GuestAddr{base(index) + 0x400},
                                     .used = GuestAddr{base(index) + 0x800},
                                     .indirect = (features_ & kVirtioIndirect) != 0,
                                     .event_index = (features_ & kVirtioEventIndex) != 0});
    }
    live_ = true;
    device_.start();
  }
  void stop() {
    live_ = false;
    device_.stop();
    for (auto& queue : queues_) queue.reset();
  }
  void serve(unsigned index) {
    if (live_ && is_error(device_.serve(index))) stop();
  }
  void poke(std::uint64_t at, std::span<const std::uint8_t> bytes) {
    const auto all = *memory_.span(GuestAddr{0}, kMemory);
    const auto room = all.subspan(std::min<std::size_t>(at, kMemory));
    std::copy_n(bytes.begin(), std::min(bytes.size(), room.size()), room.begin());
  }
  void put_descriptor(unsigned index, unsigned number, const Descriptor& value) {
    poke(base(index) + number % kQueueSize * sizeof value,
         {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  void descriptor(unsigned index, Input& input) {
    const auto number = input.number<std::uint8_t>();
    put_descriptor(index, number,
                   {.address = input.number<std::uint16_t>(),
                    .length = input.number<std::uint16_t>(),
                    .flags = static_cast<std::uint16_t>(input.number<std::uint8_t>() & 7U),
                    .next = static_cast<std::uint16_t>(input.number<std::uint8_t>() & 15U)});
  }
  void offer(unsigned index, std::uint16_t head) {
    std::uint16_t& end = available_[index];
    poke(base(index) + 0x404 + end % kQueueSize * 2ULL,
         {reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
    ++end;
    poke(base(index) + 0x402, {reinterpret_cast<const std::uint8_t*>(&end), sizeof end});
  }

  VirtioDevice& device_;
  std::uint64_t features_;
  GuestMemory memory_ = *GuestMemory::create(kMemory, GuestAddr{kMemory}, GuestAddr{1ULL << 32});
  std::array<std::optional<Virtqueue>, 2> queues_;
  std::array<std::uint16_t, 2> available_{};
  bool live_ = false;
};

// Of the input: whether descriptors may be indirect, and events have an index.
inline std::uint64_t ring_features(Input& input) {
  const auto bits = input.number<std::uint8_t>();
  return ((bits & 1) != 0 ? kVirtioIndirect : 0) | ((bits & 2) != 0 ? kVirtioEventIndex : 0);
}

}  // namespace vmctl::fuzz
