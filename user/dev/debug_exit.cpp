// SPDX-License-Identifier: GPL-2.0
#include "dev/debug_exit.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace vmctl {

DebugExitStatus debug_exit_status(DebugExitStyle style, std::uint32_t value) {
  constexpr std::uint32_t kGuestMax = 63;  // 64 and up are this program's own
  if (style == DebugExitStyle::qemu)
    return {static_cast<int>((value << 1 | 1) & 0xff), value > 127};
  return {static_cast<int>(std::min(value, kGuestMax)), value > kGuestMax};
}

void DebugExit::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  std::fill(data.begin(), data.end(), std::uint8_t{0});
}

void DebugExit::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  on_exit_(static_cast<std::uint32_t>(little_endian(data)));
}

}  // namespace vmctl
