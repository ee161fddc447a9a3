// SPDX-License-Identifier: GPL-2.0
// The id of a VM, as commands take it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace vmctl::cli {

// usage: this is none.
Result<std::uint32_t> parse_vm_id(const std::string& text);

// no_input: `what` was asked of a VM that there is not, or not for who asks.
Error no_such_vm(std::string what);

}  // namespace vmctl::cli
