// SPDX-License-Identifier: GPL-2.0
// What to put where, before any of it is done. Every loader makes one of these.
#pragma once

#include <cstdint>
#include <vector>

#include "base/guest_addr.hpp"

namespace vmctl {

// `length` bytes at `offset` of the image go to `gpa`.
struct Segment {
  std::uint64_t offset;
  std::uint64_t length;
  GuestAddr gpa;
};

struct LoadPlan {
  std::vector<Segment> segments;
  GuestAddr entry;
};

}  // namespace vmctl
