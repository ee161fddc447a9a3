// SPDX-License-Identifier: GPL-2.0
// What is known of each VM at one moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/node.hpp"
#include "kernel/vm_table.hpp"
#include "machine/stats.hpp"

namespace vmctl {

struct VmSample {
  VmRow row;
  RunStats stats;      // of all its vCPUs, those closed already, too
  bool timed = false;  // stats.run_ns holds
  // What is measured in KVM_RUN, where it is; else what its process has spent in guests, if this
  // is its only one and that may be known.
  std::optional<std::chrono::nanoseconds> guest;
};

struct Sample {
  std::chrono::steady_clock::time_point at;
  std::vector<VmSample> vms;  // those that the opener may see
};

// guest_time of /proc/PID/stat (proc(5)), in clock ticks; nothing if it is not of that form.
std::optional<std::uint64_t> parse_guest_ticks(std::string_view stat);

// A VM that goes meanwhile is left out.
Result<Sample> take_sample(const Node& node);

}  // namespace vmctl
