// SPDX-License-Identifier: GPL-2.0
// What CPUID says of the processors together: one package, a core for each vCPU, one thread each.
#pragma once

#include <cstdint>

#include "vm/cpuid.hpp"

namespace vmctl {

// What all vCPUs have in common, in place of what the host has: leaves 4, 0xb and 0x1f (Intel SDM
// 2A, CPUID), 0x80000001, 0x80000008 and 0x8000001d (AMD APM 3, E.4). APIC ids are vCPU ids. Leaves
// that KVM does not support are not added, but for the levels of 0xb and 0x1f.
void shape_topology(Cpuid& cpuid, std::uint32_t vcpus);

// How fast TSC and local APIC count, where VMware says it and other hypervisors after it (leaf
// 0x40000010, in kHz): for a TSC that always counts (leaf 0x80000007), else it changes nothing.
void tell_frequencies(Cpuid& cpuid, std::uint32_t tsc_khz);

}  // namespace vmctl
