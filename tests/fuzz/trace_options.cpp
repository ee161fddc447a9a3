// SPDX-License-Identifier: GPL-2.0
// --trace and --trace-range: kinds, then a range a line, then an access.
#include "machine/trace_options.hpp"

#include "base/size.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

__extension__ using Wide = unsigned __int128;

bool touches(const TraceRange& range, std::uint64_t address, std::uint64_t size) {
  return address <= range.last && Wide{address} + size > range.first;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const auto kinds = parse_trace_kinds(input.line());
  if (!is_error(kinds))
    require(*kinds != 0 && (*kinds & ~(kTraceExits | kTraceSteps)) == 0, "kinds are known ones");

  TraceOptions options;
  const auto address = parse_number(input.line());
  const auto length = parse_number(input.line());
  while (!input.done()) {
    const auto range = parse_trace_range(input.line());
    if (is_error(range)) continue;
    require(range->first <= range->last, "a range holds something");
    options.ranges.push_back(*range);
  }
  if (!address || !length || *length == 0) return 0;
  const bool any =
      std::any_of(options.ranges.begin(), options.ranges.end(),
                  [&](const TraceRange& range) { return touches(range, *address, *length); });
  require(options.covers(*address, *length) == (any || options.ranges.empty()),
          "an access is covered by what it touches");
  return 0;
}
