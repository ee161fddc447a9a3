// SPDX-License-Identifier: GPL-2.0
// Loading and unloading kernel modules (libkmod), with reasons when it fails.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

inline constexpr const char* kModuleName = "vmctl";

struct ModuleStatus {
  bool loaded = false;
  int references = 0;
  std::vector<std::string> holders;  // modules that use it
  std::string version;
  std::map<std::string, std::string> parameters;  // as far as they are readable
};

ModuleStatus module_status(const std::string& name);

enum class Loaded { now, before };

// By name, with dependencies and soft dependencies, as modprobe does. `parameters` are
// "name=value"; those that the module does not have are refused before it is loaded.
Result<Loaded> load_module(const std::string& name, std::span<const std::string> parameters);

// From a file, which depmod need not know; what it says it depends on is loaded by name.
Result<Loaded> load_module_file(const std::string& path, std::span<const std::string> parameters);

Result<> unload_module(const std::string& name);

// The module that KVM needs on this processor, if it is not there yet: "kvm-amd", "kvm-intel".
std::optional<std::string> missing_kvm_module();

// "integrity" or "confidentiality" while the kernel is locked down, else empty.
std::string lockdown_mode();

// --- pure parts, for tests ---

// Soft dependencies that come before, out of a modinfo line: "pre: kvm foo post: bar".
std::vector<std::string> parse_softdep(std::string_view line);

// The mode in brackets, "none [integrity] confidentiality"; empty where it is none.
std::string parse_lockdown(std::string_view modes);

// What finit_module() said, explained.
struct LoadFailure {
  int error;             // a positive errno
  std::string vermagic;  // of the module; empty if unknown
  std::string release;   // of the kernel
  std::string lockdown;  // lockdown_mode()
  bool privileged;       // the caller is root
};
Error explain_load_failure(const std::string& module, const LoadFailure& failure);

// Refuses what is not name=value, and names that are not among `known` (if any are known).
Result<> check_parameters(const std::string& module, std::span<const std::string> parameters,
                          std::span<const std::string> known);

}  // namespace vmctl
