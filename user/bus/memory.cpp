// SPDX-License-Identifier: GPL-2.0
#include "bus/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/size.hpp"

namespace vmctl {
namespace {

// Small guests touch little, and huge pages would be larger than all of that.
constexpr std::uint64_t kHugeFrom = std::uint64_t{128} << 20;

}  // namespace

Result<GuestMemory> GuestMemory::create(std::uint64_t size, GuestAddr low_end,
                                        GuestAddr high_start) {
  auto mapping = size < kHugeFrom ? Mapping::anonymous(size) : Mapping::huge(size);
  if (!mapping) {
    mapping.error().what = fmt::format("cannot get {} of memory for the guest", format_size(size));
    mapping.error().advice = "give a smaller --mem";
    return fail(mapping.error());
  }
  GuestMemory memory(std::move(*mapping));
  const std::span<std::uint8_t> all = memory.mapping_.bytes();
  const std::uint64_t low = std::min(size, low_end.value);
  memory.regions_.push_back({.gpa = GuestAddr{0}, .bytes = all.first(low)});
  if (low < size) memory.regions_.push_back({.gpa = high_start, .bytes = all.subspan(low)});
  return memory;
}

Result<std::span<std::uint8_t>> GuestMemory::span(GuestAddr gpa, std::uint64_t length) const {
  for (const MemoryRegion& region : regions_) {
    if (gpa < region.gpa) continue;
    const std::uint64_t offset = gpa.value - region.gpa.value;
    if (offset <= region.bytes.size() && length <= region.bytes.size() - offset)
      return region.bytes.subspan(offset, length);
  }
  return fail({.status = Status::internal,
               .what = "no guest memory",
               .where = fmt::format("gpa {:#x}, {} bytes", gpa.value, length),
               .why = "outside of every memory region"});
}

}  // namespace vmctl
