// SPDX-License-Identifier: GPL-2.0
// A vCPU put where a load plan says that it starts.
#pragma once

#include <span>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "vm/registers.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

// Whether there is a way to start there at all; needs no vCPU.
Result<> check_entry(const Entry& entry);

// `values` in place of what the plan says.
Result<> start_vcpu(const Vcpu& vcpu, const Entry& entry, std::span<const RegisterValue> values);

}  // namespace vmctl
