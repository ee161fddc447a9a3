// SPDX-License-Identifier: GPL-2.0
#include "dev/post.hpp"

#include <algorithm>

namespace vmctl {

void PostCode::read(std::uint64_t /*offset*/, std::span<std::uint8_t> data) {
  std::fill(data.begin(), data.end(), last_.load(std::memory_order_relaxed));
}

void PostCode::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> data) {
  for (const std::uint8_t code : data) {
    last_.store(code, std::memory_order_relaxed);
    if (on_code_) on_code_(code);
  }
}

}  // namespace vmctl
