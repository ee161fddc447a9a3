// SPDX-License-Identifier: GPL-2.0
// A guest physical address: a number with its own type, never a pointer. The one way from here to
// bytes is GuestMemory::span().
#pragma once

#include <compare>
#include <cstdint>

namespace vmctl {

struct GuestAddr {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(GuestAddr, GuestAddr) = default;
};

}  // namespace vmctl
