// SPDX-License-Identifier: GPL-2.0
// A guest physical address: a number with its own type, never a pointer. The one way from here to
// bytes is GuestMemory::span().
#pragma once

#include <compare>
#include <cstdint>

namespace vmctl {

struct GuestAddr {
  std::uint64_t value = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in what = default stands for
  friend constexpr auto operator<=>(GuestAddr, GuestAddr) = default;
};

}  // namespace vmctl
