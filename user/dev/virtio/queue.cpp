// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/queue.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstring>

namespace vmctl {
namespace {

constexpr std::uint16_t kNext = 1;  // flags of descriptors (2.7.5)
constexpr std::uint16_t kWrite = 2;
constexpr std::uint16_t kIndirect = 4;
constexpr std::uint16_t kNoInterrupt = 1;  // flag of the available ring (2.7.6)
constexpr std::uint16_t kNoNotify = 1;     // and of the used ring (2.7.8)

constexpr std::size_t kDescriptorSize = 16;
constexpr std::size_t kFlags = 0;  // of both rings, like the next two
constexpr std::size_t kIndex = 2;
constexpr std::size_t kRing = 4;
constexpr std::size_t kAvailableEntry = 2;
constexpr std::size_t kUsedEntry = 8;
constexpr std::uint64_t kChainMax = 1ULL << 32;  // bytes in all (2.7.5)

// What the driver reads and writes at the same time. Rings are aligned, and so are their fields.
std::atomic_ref<std::uint16_t> word(std::span<std::uint8_t> ring, std::size_t offset) {
  return std::atomic_ref(*reinterpret_cast<std::uint16_t*>(&ring[offset]));
}

Failure broken(std::string where, std::string why) {
  return fail({.what = "a virtqueue's driver breaks its rules",
               .where = std::move(where),
               .why = std::move(why)});
}

Result<std::span<std::uint8_t>> area(const GuestMemory& memory, const char* name, GuestAddr at,
                                     std::size_t size, std::size_t align) {
  if (at.value % align != 0)
    return broken(fmt::format("{} at {:#x}", name, at.value),
                  fmt::format("not at a multiple of {}", align));
  auto bytes = memory.span(at, size);
  if (!bytes)
    return broken(fmt::format("{} at {:#x}, {} bytes", name, at.value, size), "not in memory");
  return *bytes;
}

}  // namespace

Virtqueue::Virtqueue(const GuestMemory& memory, const Place& place,
                     std::span<std::uint8_t> descriptors, std::span<std::uint8_t> available,
                     std::span<std::uint8_t> used)
    : memory_(&memory),
      descriptors_(descriptors),
      available_(available),
      used_(used),
      size_(place.size),
      indirect_(place.indirect),
      event_index_(place.event_index) {}

Result<Virtqueue> Virtqueue::make(const GuestMemory& memory, const Place& place) {
  const std::size_t size = place.size;
  if (size == 0 || size > kSizeMax || (size & (size - 1)) != 0)
    return broken("queue size", fmt::format("{} is no power of two up to {}", size, kSizeMax));
  // With the event's index at the end of each ring, used or not.
  const auto descriptors =
      TRY(area(memory, "descriptor table", place.descriptors, size * kDescriptorSize, 16));
  const auto available = TRY(area(memory, "available ring", place.available,
                                  kRing + size * kAvailableEntry + sizeof(std::uint16_t), 2));
  const auto used = TRY(
      area(memory, "used ring", place.used, kRing + size * kUsedEntry + sizeof(std::uint16_t), 4));
  return Virtqueue(memory, place, descriptors, available, used);
}

Result<bool> Virtqueue::pop(Chain& chain) {
  const std::uint16_t end = word(available_, kIndex).load(std::memory_order_acquire);
  const auto waiting = static_cast<std::uint16_t>(end - next_available_);
  if (waiting == 0) return false;
  if (waiting > size_)
    return broken("available ring",
                  fmt::format("{} entries more, in a queue of {}", waiting, size_));
  const std::size_t entry = next_available_ % size_;
  const std::uint16_t head =
      word(available_, kRing + entry * kAvailableEntry).load(std::memory_order_relaxed);
  chain.head = head;
  chain.readable.clear();
  chain.writable.clear();
  std::uint32_t steps = 0;
  TRY(walk(descriptors_, head, false, chain, steps));
  ++next_available_;
  return true;
}

Result<> Virtqueue::walk(std::span<const std::uint8_t> table, std::uint16_t first, bool nested,
                         Chain& chain, std::uint32_t& steps) const {
  const std::size_t count = table.size() / kDescriptorSize;
  for (std::uint16_t index = first;;) {
    const auto at = [&] {
      return fmt::format("{}descriptor {}", nested ? "indirect " : "", index);
    };
    if (index >= count) return broken(at(), fmt::format("there are {}", count));
    Descriptor descriptor;
    static_assert(sizeof descriptor == kDescriptorSize);
    std::memcpy(&descriptor, &table[index * kDescriptorSize], sizeof descriptor);
    if ((descriptor.flags & kIndirect) != 0) {  // 2.7.5.3
      if (!indirect_) return broken(at(), "indirect, which was not negotiated");
      if (nested) return broken(at(), "indirect in an indirect table");
      if ((descriptor.flags & kNext) != 0) return broken(at(), "indirect, and has a next");
      if (descriptor.length == 0 || descriptor.length % kDescriptorSize != 0)
        return broken(at(), fmt::format("an indirect table of {} bytes", descriptor.length));
      const auto inner = memory_->span(GuestAddr{descriptor.address}, descriptor.length);
      if (!inner) return broken(at(), inner.error().where + " are not in memory");
      return walk(*inner, 0, true, chain, steps);
    }
    // Loops, too, end here (2.7.5.2).
    if (++steps > size_)
      return broken(at(), fmt::format("a chain longer than the queue, {}", size_));
    TRY(add(descriptor, index, chain));
    if ((descriptor.flags & kNext) == 0) return {};
    index = descriptor.next;
  }
}

Result<> Virtqueue::add(const Descriptor& descriptor, std::uint16_t index, Chain& chain) const {
  const auto at = [&] { return fmt::format("descriptor {}", index); };
  const auto bytes = memory_->span(GuestAddr{descriptor.address}, descriptor.length);
  if (!bytes) return broken(at(), bytes.error().where + " are not in memory");
  if ((descriptor.flags & kWrite) != 0)
    chain.writable.add(*bytes);
  else if (chain.writable.size() == 0)
    chain.readable.add(*bytes);
  else
    return broken(at(), "to be read, behind one to be written");  // 2.7.4.2
  if (chain.readable.size() + chain.writable.size() > kChainMax)
    return broken(at(), "a chain of more than 4 GiB");
  return {};
}

void Virtqueue::put(const Chain& chain, std::uint32_t written) {
  const std::uint32_t entry[2] = {chain.head, written};
  static_assert(sizeof entry == kUsedEntry);
  std::memcpy(&used_[kRing + next_used_ % size_ * kUsedEntry], entry, sizeof entry);
  ++next_used_;
}

void Virtqueue::publish() {
  word(used_, kIndex).store(next_used_, std::memory_order_release);
}

bool Virtqueue::wants_interrupt() {
  // What was pushed is seen before what the driver wants is looked at; it does the reverse.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const auto pushed = static_cast<std::uint16_t>(next_used_ - told_used_);
  if (pushed == 0) return false;
  told_used_ = next_used_;
  if (!event_index_)
    return (word(available_, kFlags).load(std::memory_order_relaxed) & kNoInterrupt) == 0;
  const std::uint16_t event =
      word(available_, kRing + size_ * kAvailableEntry).load(std::memory_order_relaxed);
  return static_cast<std::uint16_t>(next_used_ - event - 1) < pushed;
}

void Virtqueue::mute() {
  // With an event index it is enough not to move that on.
  if (!event_index_) word(used_, kFlags).store(kNoNotify, std::memory_order_relaxed);
}

bool Virtqueue::listen() {
  if (event_index_)
    word(used_, kRing + size_ * kUsedEntry).store(next_available_, std::memory_order_relaxed);
  else
    word(used_, kFlags).store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return word(available_, kIndex).load(std::memory_order_relaxed) != next_available_;
}

}  // namespace vmctl
