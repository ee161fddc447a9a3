// SPDX-License-Identifier: GPL-2.0
// Where a real-mode vCPU starts: segment and offset for a physical address.
#pragma once

#include <cstdint>

#include "base/guest_addr.hpp"
#include "base/result.hpp"

namespace vmctl {

struct RealModeEntry {
  std::uint16_t selector;
  std::uint16_t ip;

  std::uint64_t base() const { return std::uint64_t{selector} << 4; }
};

// Below 64 KiB the segment is 0; up to 1 MiB it is the 64 KiB block that holds the address; from
// there on no real-mode segment reaches it.
inline Result<RealModeEntry> real_mode_entry(GuestAddr entry) {
  if (entry.value >= 0x100000)
    return fail({.status = Status::usage,
                 .what = "the guest cannot start at its entry",
                 .why = "it is at or above 1 MiB, where real mode does not reach",
                 .advice = "give a lower --at or --entry"});
  return RealModeEntry{.selector = static_cast<std::uint16_t>(entry.value >> 4 & 0xf000),
                       .ip = static_cast<std::uint16_t>(entry.value & 0xffff)};
}

}  // namespace vmctl
