// SPDX-License-Identifier: GPL-2.0
// The table that reading /dev/vmctl gives: one line per VM, nine fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/node.hpp"

namespace vmctl {

struct VmRow {
  std::uint32_t id = 0;
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  std::string name;  // as the kernel escaped it; empty for none
  std::string state;
  std::uint32_t vcpus = 0;
  std::uint64_t memory = 0;
  std::uint64_t exits = 0;
  std::string image;  // "sha256:..."; empty for none
};

// Refuses what is not as the uapi header says; newer kernels may append fields.
Result<VmRow> parse_vm_row(std::string_view line);
Result<std::vector<VmRow>> parse_vm_table(std::string_view text);

// Reads and parses the table of a node; poll() then waits for the next change of it.
Result<std::vector<VmRow>> read_vm_table(const Node& node);

}  // namespace vmctl
