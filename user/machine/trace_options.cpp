// SPDX-License-Identifier: GPL-2.0
#include "machine/trace_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

struct KindName {
  std::string_view name;
  unsigned bits;
};

constexpr auto kKindNames = std::to_array<KindName>({
    {"io", static_cast<unsigned>(TraceKind::io)},
    {"mmio", static_cast<unsigned>(TraceKind::mmio)},
    {"msr", static_cast<unsigned>(TraceKind::msr)},
    {"cpuid", static_cast<unsigned>(TraceKind::cpuid)},
    {"cr", static_cast<unsigned>(TraceKind::cr)},
    {"irq", static_cast<unsigned>(TraceKind::irq)},
    {"all", kTraceExits | kTraceSteps},
});

}  // namespace

Result<unsigned> parse_trace_kinds(std::string_view text) {
  unsigned kinds = 0;
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    const auto* known = std::find_if(kKindNames.begin(), kKindNames.end(),
                                     [&](const KindName& kind) { return kind.name == name; });
    if (known == kKindNames.end())
      return fail({.status = Status::usage,
                   .what = fmt::format("'{}'", escaped(name)),
                   .why = "not something to trace (io, mmio, msr, cpuid, cr, irq, all)"});
    kinds |= known->bits;
    if (comma == std::string_view::npos) return kinds;
    rest.remove_prefix(comma + 1);
  }
}

Result<TraceRange> parse_trace_range(std::string_view text) {
  const auto dash = text.find('-');
  TraceRange range{};
  range.first = TRY(parse_number(text.substr(0, dash)));
  range.last =
      dash == std::string_view::npos ? range.first : TRY(parse_number(text.substr(dash + 1)));
  if (range.last < range.first)
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", escaped(text)),
                 .why = "the range ends before it begins"});
  return range;
}

bool TraceOptions::covers(std::uint64_t address, std::uint64_t size) const {
  if (ranges.empty()) return true;
  return std::any_of(ranges.begin(), ranges.end(), [&](const TraceRange& range) {
    return address <= range.last && (address >= range.first || range.first - address < size);
  });
}

}  // namespace vmctl
