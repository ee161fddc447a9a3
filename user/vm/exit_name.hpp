// SPDX-License-Identifier: GPL-2.0
// KVM's own names for the reasons of an exit. The table is ours, for the system's <linux/kvm.h>
// may be older than the kernel that runs.
#pragma once

#include <cstdint>
#include <string>

namespace vmctl {

inline constexpr std::uint32_t kExitMemoryFault = 39;

// "KVM_EXIT_IO"; "KVM_EXIT_99" for a number without a name.
std::string exit_name(std::uint32_t reason);

// "KVM_INTERNAL_ERROR_EMULATION"; "KVM_INTERNAL_ERROR_9" for a number without a name.
std::string suberror_name(std::uint32_t suberror);

}  // namespace vmctl
