// SPDX-License-Identifier: GPL-2.0
#include "vm/cpuid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/bytes.hpp"
#include "base/size.hpp"
#include "kernel/ioctl.hpp"

namespace vmctl {
namespace {

constexpr std::uint32_t kFeatures = 1;
constexpr std::uint32_t kTopology = 0xb;
constexpr std::uint32_t kTopologyV2 = 0x1f;
constexpr std::uint32_t kAmdTopology = 0x8000001e;
constexpr std::uint32_t kAddressSizes = 0x80000008;
constexpr std::uint32_t kX2apic = 1U << 21;  // leaf 1, ecx, like the next two
constexpr std::uint32_t kTscDeadline = 1U << 24;
constexpr std::uint32_t kHypervisor = 1U << 31;
constexpr std::uint32_t kApic = 1U << 9;             // leaf 1, edx, like the next
constexpr std::uint32_t kHyperthreading = 1U << 28;  // leaf 1, edx: the count in ebx holds
// KVM's paravirtual features (Documentation/virt/kvm/x86/cpuid.rst) that its local APIC serves:
// ASYNC_PF, PV_EOI, PV_UNHALT, ASYNC_PF_VMEXIT, PV_SEND_IPI, ASYNC_PF_INT, MSI_EXT_DEST_ID.
constexpr std::uint32_t kKvmFeatures = 0x40000001;
constexpr std::uint32_t kKvmApicFeatures =
    1U << 4 | 1U << 6 | 1U << 7 | 1U << 10 | 1U << 11 | 1U << 14 | 1U << 15;
// KVM's own limit is 256 (KVM_MAX_CPUID_ENTRIES).
constexpr std::uint32_t kEntriesMax = 4096;

Error refuse(std::string_view text, std::string why) {
  return {.status = Status::usage,
          .what = fmt::format("--cpuid {}", escaped(text)),
          .why = std::move(why)};
}

Result<std::uint32_t> parse_word(std::string_view whole, std::string_view text) {
  const auto number = parse_number(text);
  if (!number) return fail(refuse(whole, number.error().what + " " + number.error().why));
  if (*number > std::numeric_limits<std::uint32_t>::max())
    return fail(refuse(whole, fmt::format("{} is more than 32 bits", text)));
  return static_cast<std::uint32_t>(*number);
}

Result<__u32 kvm_cpuid_entry2::*> parse_register(std::string_view whole, std::string_view name) {
  if (name == "eax") return &kvm_cpuid_entry2::eax;
  if (name == "ebx") return &kvm_cpuid_entry2::ebx;
  if (name == "ecx") return &kvm_cpuid_entry2::ecx;
  if (name == "edx") return &kvm_cpuid_entry2::edx;
  return fail(refuse(whole, fmt::format("no register '{}' (eax, ebx, ecx, edx)", escaped(name))));
}

}  // namespace

Result<CpuidValue> parse_cpuid(std::string_view text) {
  const auto colon = text.find(':');
  const auto equals = text.find('=');
  if (colon == std::string_view::npos || equals == std::string_view::npos || equals < colon)
    return fail(refuse(text, "not of the form LEAF:REG=VALUE, as in 1:ecx=0 or 7.0:ebx=0"));
  const std::string_view leaf = text.substr(0, colon);
  const auto dot = leaf.find('.');
  CpuidValue value{};
  value.leaf = TRY(parse_word(text, leaf.substr(0, dot)));
  if (dot != std::string_view::npos) value.subleaf = TRY(parse_word(text, leaf.substr(dot + 1)));
  value.member = TRY(parse_register(text, text.substr(colon + 1, equals - colon - 1)));
  value.value = TRY(parse_word(text, text.substr(equals + 1)));
  return value;
}

Result<Cpuid> supported_cpuid(const Node& node) {
  for (std::uint32_t room = 64; room <= kEntriesMax; room *= 2) {
    // The structure and the entries behind it, aligned as both need.
    std::vector<std::uint64_t> buffer(
        (sizeof(kvm_cpuid2) + room * sizeof(kvm_cpuid_entry2)) / sizeof(std::uint64_t) + 1);
    auto* header = reinterpret_cast<kvm_cpuid2*>(buffer.data());
    header->nent = room;
    const auto done = call(node.fd(), ioc::get_supported_cpuid, *header);
    if (!done && done.error().code == E2BIG) continue;
    if (!done) return fail(explain(ioc::get_supported_cpuid.name, done.error()));
    Cpuid cpuid(std::min(header->nent, room));
    std::memcpy(cpuid.data(), header + 1, cpuid.size() * sizeof cpuid[0]);
    return cpuid;
  }
  return fail(explain(ioc::get_supported_cpuid.name, Errno{E2BIG}));
}

void adapt_cpuid(Cpuid& cpuid, CpuidMachine machine) {
  for (kvm_cpuid_entry2& entry : cpuid) {
    if (entry.function == kKvmFeatures && !machine.local_apics) entry.eax &= ~kKvmApicFeatures;
    if (entry.function != kFeatures) continue;
    entry.ecx |= kHypervisor;
    if (!machine.local_apics) {
      entry.ecx &= ~kX2apic;
      entry.edx &= ~kApic;
    }
    entry.ecx &= ~kTscDeadline;
    if (machine.local_apics && machine.tsc_deadline) entry.ecx |= kTscDeadline;
  }
}

void number_cpuid(Cpuid& cpuid, std::uint32_t vcpu, std::uint32_t vcpus) {
  for (kvm_cpuid_entry2& entry : cpuid) {
    if (entry.function == kFeatures) {
      entry.ebx = (entry.ebx & 0xffff) | std::min(vcpus, 255U) << 16 | (vcpu & 0xff) << 24;
      if (vcpus > 1) entry.edx |= kHyperthreading;
    }
    if (entry.function == kTopology || entry.function == kTopologyV2) entry.edx = vcpu;
    if (entry.function == kAmdTopology) {
      entry.eax = vcpu;
      entry.ebx = vcpu & 0xff;  // the core, of one thread
      entry.ecx = 0;            // node 0, of one
    }
  }
}

unsigned address_bits(const Cpuid& cpuid) {
  constexpr unsigned kWithoutLeaf = 36;
  for (const kvm_cpuid_entry2& entry : cpuid)
    if (entry.function == kAddressSizes) return entry.eax & 0xff;
  return kWithoutLeaf;
}

void apply_cpuid(Cpuid& cpuid, std::span<const CpuidValue> values) {
  for (const CpuidValue& value : values) {
    bool found = false;
    for (kvm_cpuid_entry2& entry : cpuid) {
      if (entry.function != value.leaf || (value.subleaf && entry.index != *value.subleaf))
        continue;
      entry.*value.member = value.value;
      found = true;
    }
    if (found) continue;
    kvm_cpuid_entry2 entry{};
    entry.function = value.leaf;
    if (value.subleaf) {
      entry.index = *value.subleaf;
      entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    }
    entry.*value.member = value.value;
    cpuid.push_back(entry);
  }
}

}  // namespace vmctl
