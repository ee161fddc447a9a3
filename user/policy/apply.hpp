// SPDX-License-Identifier: GPL-2.0
// A policy put into force.
#pragma once

#include "base/result.hpp"
#include "kernel/node.hpp"
#include "policy/policy_file.hpp"

namespace vmctl {

// The module's limits are those of the policy from then on: what it does not name is as it was
// when the module was loaded, and users whom it does not name have no limits of their own. When
// it fails all is as before.
Result<> apply(const Node& node, const Policy& policy);

}  // namespace vmctl
