// SPDX-License-Identifier: GPL-2.0
#include "load/gdt_search.hpp"

#include <algorithm>
#include <vector>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kDescriptor = 8;
constexpr std::size_t kLimit = 2;           // of what LGDT takes, before 32 bits of the address
constexpr std::size_t kPointer = 6;         // both
constexpr std::size_t kAccessByte = 5;      // of a descriptor
constexpr std::uint8_t kCodeOrData = 0x90;  // present, and not of the system

// For each offset the first descriptor of code or data at it or a whole number of descriptors
// behind it; none: the size. So many pointers to one table cost no more than one.
std::vector<std::size_t> first_descriptors(std::span<const std::uint8_t> bytes) {
  std::vector<std::size_t> first(bytes.size(), bytes.size());
  for (std::size_t after = bytes.size(); after >= kDescriptor; --after) {
    const std::size_t at = after - kDescriptor;
    if ((bytes[at + kAccessByte] & kCodeOrData) == kCodeOrData)
      first[at] = at;
    else if (after < bytes.size())
      first[at] = first[after];
  }
  return first;
}

}  // namespace

std::optional<std::size_t> find_gdt(std::span<const std::uint8_t> bytes, std::uint64_t address,
                                    std::uint64_t other) {
  const std::vector<std::size_t> first = first_descriptors(bytes);
  // `size`: by its limit, beyond which `bytes` may end.
  const auto is_table = [&](std::size_t offset, std::size_t size) {
    const std::size_t end = offset + std::min(size, bytes.size() - offset);
    return end - offset >= 2 * kDescriptor &&
           little_endian(bytes.subspan(offset, kDescriptor)) == 0 &&
           first[offset + kDescriptor] + kDescriptor <= end;
  };
  for (std::size_t at = 0; at + kPointer <= bytes.size(); ++at) {
    const std::size_t limit = little_endian(bytes.subspan(at, kLimit));
    // Some take the size for the limit, which is one less.
    if (limit % kDescriptor != kDescriptor - 1 && limit % kDescriptor != 0) continue;
    const std::uint64_t base = little_endian(bytes.subspan(at + kLimit, kPointer - kLimit));
    for (const std::uint64_t start : {address, other}) {
      const std::size_t offset = static_cast<std::uint32_t>(base - start);
      if (offset < bytes.size() && is_table(offset, limit + 1)) return offset;
    }
  }
  return std::nullopt;
}

}  // namespace vmctl
