// SPDX-License-Identifier: GPL-2.0
// Exits as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "vm/exit.hpp"

namespace vmctl {

// "KVM_EXIT_IO out port 0x3f8 size 1 count 1 data 0x34 '4' rip 0x1007"
std::string format_exit(const Exit& exit, std::optional<std::uint64_t> rip);

nlohmann::json exit_to_json(const Exit& exit, std::optional<std::uint64_t> rip);

}  // namespace vmctl
