// SPDX-License-Identifier: GPL-2.0
// What `vmctl load` was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "machine/machine.hpp"
#include "machine/runner.hpp"

namespace vmctl::cli {

struct LoadRequest {
  MachineConfig machine;
  RunOptions run;
  std::vector<std::string> initrds;  // as given, like the next seven
  std::vector<std::string> registers;
  std::vector<std::string> cpuid;
  std::vector<std::string> msrs;
  std::vector<std::string> disks;
  std::vector<std::string> shares;
  std::string net;
  std::vector<std::string> trace_kinds;
  std::vector<std::string> trace_ranges;
  bool stats = false;
  bool json = false;
};

// Declares the options; `request` must outlive `command`.
void declare_load(CLI::App& command, LoadRequest& request);

// Parses what is there as given, and checks what depends on several options.
Result<> complete(LoadRequest& request);

}  // namespace vmctl::cli
