// SPDX-License-Identifier: GPL-2.0
// A vCPU's state for a human: registers, and the bytes it was about to execute.
#pragma once

#include <string>

#include "bus/memory.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

// Several lines. What cannot be had is said instead.
std::string dump_vcpu(const Vcpu& vcpu, const GuestMemory& memory);

}  // namespace vmctl
