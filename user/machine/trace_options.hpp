// SPDX-License-Identifier: GPL-2.0
// What --trace shows.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

// A set of bits.
enum class TraceKind : unsigned {
  io = 1,      // port accesses
  mmio = 2,    // accesses to what is no memory
  msr = 4,     // accesses that --msr names
  irq = 8,     // lines, injections, interrupt windows
  other = 16,  // every other exit
  cpuid = 32,  // CPUID instructions; KVM answers them itself: found by single steps
  cr = 64,     // changes of CR0, CR3, CR4, CR8 and EFER; likewise
};

inline constexpr unsigned kTraceExits = 1 | 2 | 4 | 8 | 16;
inline constexpr unsigned kTraceSteps = 32 | 64;

// "io,mmio"; "all" is everything.
Result<unsigned> parse_trace_kinds(std::string_view text);

// Ports, addresses or MSRs, both ends included.
struct TraceRange {
  std::uint64_t first;
  std::uint64_t last;
};

// "0x3f8" or "0x3f8-0x3ff".
Result<TraceRange> parse_trace_range(std::string_view text);

struct TraceOptions {
  unsigned kinds = 0;              // nothing is traced
  std::vector<TraceRange> ranges;  // accesses elsewhere are left out; none: nothing is
  bool json = false;

  bool shows(TraceKind kind) const { return (kinds & static_cast<unsigned>(kind)) != 0; }
  bool steps() const { return (kinds & kTraceSteps) != 0; }
  // Whether an access of `size` bytes touches what is to be shown.
  bool covers(std::uint64_t address, std::uint64_t size) const;
};

}  // namespace vmctl
