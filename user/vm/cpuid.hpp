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

// KVM_GET_SUPPORTED_CPUID: the default.
Result<Cpuid> supported_cpuid(const Node& node);

// What differs from vCPU to vCPU: the APIC ids, leaves 1 and 0xb (Intel SDM 2A, CPUID); and how
// many there are. APIC ids are vCPU ids, as KVM gives them.
void number_cpuid(Cpuid& cpuid, std::uint32_t vcpu, std::uint32_t vcpus);

// Adds a leaf or subleaf that is not there yet, zero but for the value.
void apply_cpuid(Cpuid& cpuid, std::span<const CpuidValue> values);

}  // namespace vmctl
