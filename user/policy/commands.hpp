// SPDX-License-Identifier: GPL-2.0
// The module's table of commands: what becomes of each, and why.
#pragma once

#include <linux/vmctl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/node.hpp"

namespace vmctl {

// By verdict and name.
Result<std::vector<vmctl_command>> read_commands(const Node& node);

// "allowed", "checked", "emulated", "refused", "own".
std::string_view verdict_name(std::uint32_t verdict);
// "system,vm,vcpu", those that are set.
std::string fds_text(std::uint32_t on);
}  // namespace vmctl
