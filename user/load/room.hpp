// SPDX-License-Identifier: GPL-2.0
// Which guest memory is taken by what while a load is planned: the one check that two things never
// share an address, and that all lies in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/guest_addr.hpp"
#include "base/result.hpp"

namespace vmctl {

class Room {
 public:
  // Memory, in any order, ranges that do not wrap nor overlap; what touches is one.
  struct Range {
    GuestAddr base;
    std::uint64_t size;
  };
  explicit Room(std::span<const Range> memory);

  // Takes exactly this. bad_image, with the name of what is in the way: outside of memory, wraps,
  // overlaps. An empty range takes nothing.
  Result<> take(std::string_view name, GuestAddr base, std::uint64_t size);

  // Takes `size` bytes at a multiple of `align` (a power of two) somewhere in [low, end): as low or
  // as high as can be. bad_image if there is no such room.
  enum class From : std::uint8_t { bottom, top };
  Result<GuestAddr> place(std::string_view name, std::uint64_t size, std::uint64_t align,
                          GuestAddr low, GuestAddr end, From from = From::bottom);

  // Where a range of memory that holds `base` ends; `base` itself where there is no memory.
  GuestAddr end_of(GuestAddr base) const;

  struct Taken {
    std::string name;
    GuestAddr base;
    std::uint64_t size;
  };
  // By address.
  const std::vector<Taken>& taken() const { return taken_; }

 private:
  void insert(std::string_view name, GuestAddr base, std::uint64_t size);

  std::vector<Range> memory_;  // by address, apart from each other
  std::vector<Taken> taken_;   // by address
};

}  // namespace vmctl
