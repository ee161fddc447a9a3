// SPDX-License-Identifier: GPL-2.0
// What `vmctl load` was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.hpp"
#include "machine/runner.hpp"

namespace vmctl::cli {

struct LoadRequest {
  MachineConfig machine;
  RunOptions run;
  std::vector<std::string> registers;  // as given, like the next six
  std::vector<std::string> cpuid;
  std::vector<std::string> msrs;
  std::vector<std::string> disks;
  std::vector<std::string> shares;
  std::string net;
  std::vector<std::string> trace_kinds;
  std::vector<std::string> trace_ranges;
  std::optional<bool> attach;  // whether vmctl attach finds it; nothing: as it suits the guest
  bool hint_after = false;     // it was said
  bool stats = false;
  bool json = false;
};

// Declares the options; `request` must outlive `command`.
void declare_load(CLI::App& command, LoadRequest& request);

// Parses what is there as given, and checks what depends on several options.
Result<> complete(LoadRequest& request);

}  // namespace vmctl::cli
