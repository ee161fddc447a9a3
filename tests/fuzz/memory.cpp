// SPDX-License-Identifier: GPL-2.0
// The door to the guest's memory: addresses and lengths.
#include "bus/memory.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::uint64_t kLow = 3ULL * 4096;
constexpr std::uint64_t kAll = 5ULL * 4096;
constexpr std::uint64_t kHigh = 1ULL << 32;

const GuestMemory& memory() {
  static const GuestMemory one = *GuestMemory::create(kAll, GuestAddr{kLow}, GuestAddr{kHigh});
  return one;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  while (!input.done()) {
    const auto near = input.number<std::uint8_t>();
    auto gpa = input.number<std::uint64_t>();
    auto length = input.number<std::uint64_t>();
    if ((near & 1) != 0) gpa %= 2 * kLow;
    if ((near & 2) != 0) gpa += kHigh;
    if ((near & 4) != 0) length %= kAll;
    if ((near & 8) != 0) length = 0 - gpa;

    __extension__ using Wide = unsigned __int128;
    const Wide end = Wide{gpa} + length;
    const bool low = end <= kLow;
    const bool high = gpa >= kHigh && end <= kHigh + kAll - kLow;
    const auto span = memory().span(GuestAddr{gpa}, length);
    require(is_error(span) == !(low || high), "all within one region, or nothing");
    if (!span) continue;
    const auto& region = memory().regions().at(low ? 0 : 1);
    require(
        span->size() == length && span->data() == region.bytes.data() + (gpa - region.gpa.value),
        "the bytes are those at the address");
  }
  return 0;
}
