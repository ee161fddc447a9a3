// SPDX-License-Identifier: GPL-2.0
#include "load/gdt_search.hpp"

#include <algorithm>
#include <cstring>

namespace vmctl {
namespace {

constexpr std::size_t kDescriptor = 8;
constexpr std::size_t kPointer = 6;         // limit and 32 bits of the address
constexpr std::size_t kAccessByte = 5;      // of a descriptor
constexpr std::uint8_t kCodeOrData = 0x90;  // present, and not of the system

template <class T>
T get(std::span<const std::uint8_t> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// `size`: by its limit, beyond which `bytes` may end.
bool is_table(std::span<const std::uint8_t> bytes, std::size_t size) {
  bytes = bytes.first(std::min(bytes.size(), size));
  if (bytes.size() < 2 * kDescriptor || get<std::uint64_t>(bytes, 0) != 0) return false;
  for (std::size_t at = kDescriptor; at + kDescriptor <= bytes.size(); at += kDescriptor)
    if ((bytes[at + kAccessByte] & kCodeOrData) == kCodeOrData) return true;
  return false;
}

}  // namespace

std::optional<std::size_t> find_gdt(std::span<const std::uint8_t> bytes, std::uint64_t address,
                                    std::uint64_t other) {
  for (std::size_t at = 0; at + kPointer <= bytes.size(); ++at) {
    const std::size_t limit = get<std::uint16_t>(bytes, at);
    // Some take the size for the limit, which is one less.
    if (limit % kDescriptor != kDescriptor - 1 && limit % kDescriptor != 0) continue;
    const auto base = get<std::uint32_t>(bytes, at + sizeof(std::uint16_t));
    for (const std::uint64_t start : {address, other}) {
      const std::size_t offset = base - static_cast<std::uint32_t>(start);
      if (offset < bytes.size() && is_table(bytes.subspan(offset), limit + 1)) return offset;
    }
  }
  return std::nullopt;
}

}  // namespace vmctl
