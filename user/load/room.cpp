// SPDX-License-Identifier: GPL-2.0
#include "load/room.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/size.hpp"

namespace vmctl {
namespace {

std::uint64_t end(const auto& range) {
  return range.base.value + range.size;
}

Error no_room(std::string_view name, GuestAddr base, std::uint64_t size, std::string why,
              std::string advice = "") {
  return {.status = Status::bad_image,
          .what = fmt::format("{} does not fit into the guest's memory", name),
          .where = fmt::format("gpa {:#x}, {:#x} bytes", base.value, size),
          .why = std::move(why),
          .advice = std::move(advice)};
}

}  // namespace

Room::Room(std::span<const Range> memory) : memory_(memory.begin(), memory.end()) {
  std::erase_if(memory_, [](const Range& range) { return range.size == 0; });
  std::sort(memory_.begin(), memory_.end(),
            [](const Range& a, const Range& b) { return a.base < b.base; });
  for (std::size_t i = 1; i < memory_.size();) {
    if (end(memory_[i - 1]) == memory_[i].base.value) {
      memory_[i - 1].size += memory_[i].size;
      memory_.erase(memory_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

GuestAddr Room::end_of(GuestAddr base) const {
  for (const Range& range : memory_)
    if (range.base <= base && base.value < end(range)) return GuestAddr{end(range)};
  return base;
}

void Room::insert(std::string_view name, GuestAddr base, std::uint64_t size) {
  const auto at = std::find_if(taken_.begin(), taken_.end(),
                               [&](const Taken& other) { return base < other.base; });
  taken_.insert(at, Taken{.name = std::string(name), .base = base, .size = size});
}

Result<> Room::take(std::string_view name, GuestAddr base, std::uint64_t size) {
  if (size == 0) return {};
  if (size > std::numeric_limits<std::uint64_t>::max() - base.value)
    return fail(no_room(name, base, size, "address and size together are more than 64 bits hold"));
  const std::uint64_t last = base.value + size;
  if (const GuestAddr room = end_of(base); last > room.value) {
    std::string memory;
    for (const Range& range : memory_)
      memory += fmt::format("{}{:#x} to {:#x}", memory.empty() ? "" : ", ", range.base.value,
                            end(range) - 1);
    return fail(no_room(name, base, size, fmt::format("there is memory at {} only", memory),
                        "give the guest more with --mem, or an image made for this address"));
  }
  for (const Taken& other : taken_)
    if (base.value < end(other) && other.base.value < last)
      return fail(no_room(name, base, size,
                          fmt::format("it overlaps {} at {:#x} to {:#x}", other.name,
                                      other.base.value, end(other) - 1)));
  insert(name, base, size);
  return {};
}

Result<GuestAddr> Room::place(std::string_view name, std::uint64_t size, std::uint64_t align,
                              GuestAddr low, GuestAddr end_addr, From from) {
  // What is free, piece by piece: the memory less what is taken, within the limits.
  std::vector<Range> free;
  for (const Range& range : memory_) {
    std::uint64_t at = std::max(range.base.value, low.value);
    const std::uint64_t stop = std::min(end(range), end_addr.value);
    for (const Taken& other : taken_) {
      if (end(other) <= at || other.base.value >= stop) continue;
      if (other.base.value > at)
        free.push_back({.base = GuestAddr{at}, .size = other.base.value - at});
      at = end(other);
    }
    if (at < stop) free.push_back({.base = GuestAddr{at}, .size = stop - at});
  }
  if (from == From::top) std::reverse(free.begin(), free.end());
  for (const Range& piece : free) {
    const std::uint64_t padding = (align - piece.base.value % align) % align;
    if (padding > piece.size || size > piece.size - padding) continue;
    const std::uint64_t at =
        from == From::bottom ? piece.base.value + padding : (end(piece) - size) / align * align;
    insert(name, GuestAddr{at}, size);
    return GuestAddr{at};
  }
  return fail(
      {.status = Status::bad_image,
       .what = fmt::format("{} does not fit into the guest's memory", name),
       .where = fmt::format("{:#x} bytes between {:#x} and {:#x}", size, low.value, end_addr.value),
       .why = fmt::format("no {} are free there in one piece", format_size(size)),
       .advice = "give the guest more with --mem"});
}

}  // namespace vmctl
