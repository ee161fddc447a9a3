// SPDX-License-Identifier: GPL-2.0
// What a vCPU did, counted by the kernel (vmctl) or by ourselves (raw KVM).
#pragma once

#include <linux/vmctl.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace vmctl {

struct RunStats {
  std::array<std::uint64_t, VMCTL_EXIT_REASONS> exits{};  // by KVM_EXIT_*; the last: all above
  std::uint64_t errors = 0;                               // failures of KVM_RUN other than EINTR
  std::uint64_t run_ns = 0;                               // within KVM_RUN, when measured

  void count(std::uint32_t reason);
  // The exits as they are now, while another thread may count.
  RunStats seen() const;
  RunStats& operator+=(const RunStats& other);
};

// As in exits; the last one stands for all from there on.
std::string reason_name(std::size_t reason);

RunStats from_kernel(const vmctl_stats& stats);

// A table: a line for each reason that occurred, a column for each vCPU, one for the sum.
std::string format_stats(const std::vector<RunStats>& vcpus, const RunStats& sum);

// {"KVM_EXIT_IO": 1, ...}
nlohmann::json exits_to_json(const RunStats& stats);

}  // namespace vmctl
