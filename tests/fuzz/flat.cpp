// SPDX-License-Identifier: GPL-2.0
// The plan for a flat image: five numbers.
#include "load/flat.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, length) {
  Input input(data, length);
  const auto flags = input.number<std::uint8_t>();
  // Some of them near each other, where the borders are.
  const auto memory_end = input.number<std::uint64_t>();
  auto at = input.number<std::uint64_t>();
  auto size = input.number<std::uint64_t>();
  auto entry = input.number<std::uint64_t>();
  if ((flags & 1) != 0) at = memory_end - (at & 0xfff0);
  if ((flags & 2) != 0) size = memory_end - at + static_cast<std::uint64_t>(size % 5) - 2;
  if ((flags & 4) != 0) entry = at + size + entry % 5 - 2;
  if ((flags & 8) != 0) at &= ~std::uint64_t{15};

  FlatRequest request{.at = GuestAddr{at}, .entry = std::nullopt};
  if ((flags & 16) != 0) request.entry = GuestAddr{entry};
  const auto plan = plan_flat(request, size, memory_end);
  const bool fits = at < memory_end && size > 0 && size <= memory_end - at;
  if (is_error(plan)) {
    require(!fits || at % 16 != 0 || request.entry, "what fits is taken");
    return 0;
  }
  require(fits && plan->segments.size() == 1, "a plan is within memory");
  const Segment& segment = plan->segments.front();
  require(segment.gpa == request.at && segment.offset == 0 && segment.length == size,
          "the image goes where it is wanted, whole");
  require(plan->entry.address.value >= at && plan->entry.address.value - at < size,
          "it starts within");
  require(!request.entry || plan->entry.address == *request.entry, "and where it is wanted");
  return 0;
}
