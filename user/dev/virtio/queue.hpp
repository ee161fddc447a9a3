// SPDX-License-Identifier: GPL-2.0
// The device's side of a split virtqueue (virtio 1.2, 2.7). Everything in it is the driver's to
// write at any time: each field is read once, and the copy is checked. What breaks a rule is an
// error, after which the device needs a reset (2.1.2): nothing is ever done with half a chain.
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <span>

#include "base/guest_addr.hpp"
#include "base/result.hpp"
#include "bus/memory.hpp"
#include "dev/virtio/pieces.hpp"

namespace vmctl {

// What a driver makes available at once: first what the device reads, then what it writes.
struct Chain {
  std::uint16_t head = 0;
  Pieces<const std::uint8_t> readable;
  Pieces<std::uint8_t> writable;
};

class Virtqueue {
 public:
  static constexpr std::uint16_t kSizeMax = 32768;  // 2.7

  struct Place {
    std::uint16_t size = 0;    // a power of two, at most kSizeMax
    GuestAddr descriptors;     // 16 bytes each, at a multiple of 16
    GuestAddr available;       // the driver area, at a multiple of 2
    GuestAddr used;            // the device area, at a multiple of 4
    bool indirect = false;     // VIRTIO_F_INDIRECT_DESC is negotiated
    bool event_index = false;  // VIRTIO_F_EVENT_IDX is
  };
  // `memory` must outlive it. Refuses a size that is none, and rings that are not in memory or not
  // aligned as 2.7 has it.
  static Result<Virtqueue> make(const GuestMemory& memory, const Place& place);

  std::uint16_t size() const { return size_; }

  // The next chain into `chain`, whose storage is used again; false if there is none.
  Result<bool> pop(Chain& chain);
  // Takes the last pop() back, which the device had no use for yet; once.
  void unpop() { --next_available_; }
  // Gives a chain back, in which the device has written the first `written` bytes of the writable.
  void push(const Chain& chain, std::uint32_t written) {
    put(chain, written);
    publish();
  }
  // The same for several that the driver is to see at once, with the last publish().
  void put(const Chain& chain, std::uint32_t written);
  void publish();

  // Whether the driver wants an interrupt for what was pushed since this was last asked (2.7.7).
  bool wants_interrupt();
  // Tells the driver not to notify (2.7.10): a hint, until listen().
  void mute();
  // Tells it to notify; true if more came just before, of which nobody will be notified.
  bool listen();

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  Virtqueue(const GuestMemory& memory, const Place& place, std::span<std::uint8_t> descriptors,
            std::span<std::uint8_t> available, std::span<std::uint8_t> used);

  // A chain in a table of descriptors, the queue's own or an indirect one.
  Result<> walk(std::span<const std::uint8_t> table, std::uint16_t first, bool nested, Chain& chain,
                std::uint32_t& steps) const;
  Result<> add(const Descriptor& descriptor, std::uint16_t index, Chain& chain) const;

  const GuestMemory* memory_;
  std::span<std::uint8_t> descriptors_;
  std::span<std::uint8_t> available_;
  std::span<std::uint8_t> used_;
  std::uint16_t size_;
  bool indirect_;
  bool event_index_;
  std::uint16_t next_available_ = 0;  // the next entry of the available ring to take
  std::uint16_t next_used_ = 0;       // and of the used ring to fill
  std::uint16_t told_used_ = 0;       // next_used_ when wants_interrupt() was last asked
};

}  // namespace vmctl
