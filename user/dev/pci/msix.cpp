// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/msix.hpp"

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kEntrySize = 16;
constexpr std::size_t kControl = 3;  // the word of an entry with the mask bit (6.8.2.9)
constexpr std::uint32_t kMasked = 1;

void put(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

}  // namespace

Msix::Msix(std::vector<std::unique_ptr<MsiVector>> vectors) {
  for (auto& vector : vectors) entries_.push_back({.vector = std::move(vector)});
}

std::array<std::uint8_t, Msix::kBodySize> Msix::body(std::uint8_t bar) const {
  std::array<std::uint8_t, kBodySize> body{};
  put(body, 0, static_cast<std::uint32_t>(entries_.size() - 1), 2);
  put(body, 2, bar, 4);
  put(body, 6, kPending | bar, 4);
  return body;
}

std::array<std::uint8_t, Msix::kBodySize> Msix::writable() {
  std::array<std::uint8_t, kBodySize> mask{};
  put(mask, 0, kEnable | kMaskAll, 2);
  return mask;
}

void Msix::set_control(std::uint16_t control) {
  const std::lock_guard guard(lock_);
  control_ = control;
  for (Entry& entry : entries_) settle(entry);
}

bool Msix::enabled() const {
  const std::lock_guard guard(lock_);
  return (control_ & kEnable) != 0;
}

void Msix::raise(std::size_t vector) {
  const std::lock_guard guard(lock_);
  if (vector >= entries_.size() || (control_ & kEnable) == 0) return;
  entries_[vector].pending = true;
  settle(entries_[vector]);
}

void Msix::settle(Entry& entry) const {
  const bool open = (control_ & (kEnable | kMaskAll)) == kEnable;
  if (!open || (entry.words[kControl] & kMasked) != 0) return;
  const MsiMessage message{.address = std::uint64_t{entry.words[1]} << 32 | entry.words[0],
                           .data = entry.words[2]};
  if (entry.routed != message) {
    entry.vector->route(message);
    entry.routed = message;
  }
  if (!entry.pending) return;
  entry.pending = false;
  entry.vector->raise();
}

std::uint8_t Msix::byte_at(std::uint64_t offset) const {
  if (offset < entries_.size() * kEntrySize) {
    const std::uint32_t word = entries_[offset / kEntrySize].words[offset % kEntrySize / 4];
    return static_cast<std::uint8_t>(word >> 8 * (offset % 4));
  }
  std::uint8_t bits = 0;
  for (std::size_t bit = 0; offset >= kPending && bit < 8; ++bit) {
    const std::size_t vector = (offset - kPending) * 8 + bit;
    if (vector < entries_.size() && entries_[vector].pending)
      bits = static_cast<std::uint8_t>(bits | 1U << bit);
  }
  return bits;
}

void Msix::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::lock_guard guard(lock_);
  for (std::uint8_t& byte : data) byte = byte_at(offset++);
}

void Msix::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const std::lock_guard guard(lock_);
  if (data.size() != 4 || offset % 4 != 0 || offset >= entries_.size() * kEntrySize) return;
  Entry& entry = entries_[offset / kEntrySize];
  entry.words[offset % kEntrySize / 4] = static_cast<std::uint32_t>(little_endian(data));
  settle(entry);
}

}  // namespace vmctl
