// SPDX-License-Identifier: GPL-2.0-only
//
// Kernel objects that were allocated and not freed, as the slab allocator counts them.
#pragma once

#include <map>
#include <string>

namespace t {

// Where the kernel keeps the allocator of each object, as the debug kernel does: how many there
// are of each function of vmctl and KVM. Elsewhere KVM's vCPUs alone, the one kind with a cache
// of its own that it tells of. Airlocks are left out: some are kept for the next caller.
std::map<std::string, long> held_objects();

}  // namespace t
