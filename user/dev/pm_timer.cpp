// SPDX-License-Identifier: GPL-2.0
#include "dev/pm_timer.hpp"

namespace vmctl {
namespace {

// Exact, and without overflow for as long as a Time reaches.
std::uint64_t ticks(Time now) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const auto elapsed = static_cast<std::uint64_t>(now.count());
  return elapsed / kSecond * PmTimer::kHz + elapsed % kSecond * PmTimer::kHz / kSecond;
}

}  // namespace

void PmTimer::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::uint64_t count = ticks(clock_.now()) & kMask;
  for (std::uint8_t& byte : data) {
    byte = offset < kSize ? static_cast<std::uint8_t>(count >> 8 * offset) : std::uint8_t{0xff};
    ++offset;
  }
}

void PmTimer::write(std::uint64_t /*offset*/, std::span<const std::uint8_t> /*data*/) {}

}  // namespace vmctl
