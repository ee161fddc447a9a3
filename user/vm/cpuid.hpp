// SPDX-License-Identifier: GPL-2.0
// What the CPUID instruction answers: what KVM supports here, and what the user wants otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/kvm.hpp"
#include "kernel/node.hpp"

namespace vmctl {

// "0x40000000:ebx=0x6c746376", or with a subleaf "7.0:ebx=0".
struct CpuidValue {
  std::uint32_t leaf;
  std::optional<std::uint32_t> subleaf;  // none: every subleaf of the leaf
  __u32 kvm_cpuid_entry2::*member;
  std::uint32_t value;
};

Result<CpuidValue> parse_cpuid(std::string_view text);

using Cpuid = std::vector<kvm_cpuid_entry2>;

// KVM_GET_SUPPORTED_CPUID.
Result<Cpuid> supported_cpuid(const Node& node);

// What KVM leaves to its users in leaf 1: that there is a hypervisor, and of the local APIC's
// features those that KVM's own has.
struct CpuidMachine {
  bool local_apics;
  bool tsc_deadline;  // KVM_CAP_TSC_DEADLINE_TIMER
};
void adapt_cpuid(Cpuid& cpuid, CpuidMachine machine);

// What differs from vCPU to vCPU: the APIC ids, leaves 1, 0xb and 0x1f (Intel SDM 2A, CPUID) and
// 0x8000001e (AMD APM 3, E.4.16); and how many there are. APIC ids are vCPU ids, as KVM gives them.
void number_cpuid(Cpuid& cpuid, std::uint32_t vcpu, std::uint32_t vcpus);

// Of a physical address (leaf 0x80000008); 36 where it is not said.
unsigned address_bits(const Cpuid& cpuid);

// Adds a leaf or subleaf that is not there yet, zero but for the value.
void apply_cpuid(Cpuid& cpuid, std::span<const CpuidValue> values);

}  // namespace vmctl
