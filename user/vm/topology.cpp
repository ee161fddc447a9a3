// SPDX-License-Identifier: GPL-2.0
#include "vm/topology.hpp"

#include <algorithm>
#include <bit>

namespace vmctl {
namespace {

constexpr std::uint32_t kMaxLeaf = 0;
constexpr std::uint32_t kCaches = 4;
constexpr std::uint32_t kTopology = 0xb;
constexpr std::uint32_t kTopologyV2 = 0x1f;
constexpr std::uint32_t kAmdFeatures = 0x80000001;
constexpr std::uint32_t kPowerManagement = 0x80000007;
constexpr std::uint32_t kAmdSizes = 0x80000008;
constexpr std::uint32_t kAmdCaches = 0x8000001d;
constexpr std::uint32_t kAmdTopologyV2 = 0x80000026;
constexpr std::uint32_t kSignature = 0x40000000;
constexpr std::uint32_t kTiming = 0x40000010;

const kvm_cpuid_entry2* find(const Cpuid& cpuid, std::uint32_t leaf) {
  const auto found = std::find_if(cpuid.begin(), cpuid.end(),
                                  [&](const auto& entry) { return entry.function == leaf; });
  return found == cpuid.end() ? nullptr : &*found;
}

bool is_amd(const Cpuid& cpuid) {
  constexpr std::uint32_t kAuthenticAmd = 0x68747541;  // "Auth"
  constexpr std::uint32_t kHygonGenuine = 0x6f677948;  // "Hygo"
  const kvm_cpuid_entry2* vendor = find(cpuid, kMaxLeaf);
  return vendor != nullptr && (vendor->ebx == kAuthenticAmd || vendor->ebx == kHygonGenuine);
}

void set_bits(std::uint32_t& word, unsigned first, unsigned count, std::uint32_t value) {
  const std::uint32_t mask = (1U << count) - 1;
  word = (word & ~(mask << first)) | std::min(value, mask) << first;
}

// In leaves 4 and 0x8000001d: who shares a cache. The first two levels are a core's own.
void share_cache(kvm_cpuid_entry2& entry, std::uint32_t ids) {
  const unsigned level = entry.eax >> 5 & 7;
  set_bits(entry.eax, 14, 12, level <= 2 ? 0 : ids - 1);
}

// The levels of leaf 0xb or 0x1f: threads of a core, cores of the package, and the end.
void add_levels(Cpuid& cpuid, std::uint32_t leaf, std::uint32_t vcpus, unsigned id_bits) {
  constexpr std::uint32_t kThreads = 1U << 8;
  constexpr std::uint32_t kCores = 2U << 8;
  constexpr std::uint32_t kCountMax = 0xffff;
  const auto level = [&](std::uint32_t index, std::uint32_t type, std::uint32_t shift,
                         std::uint32_t count) {
    kvm_cpuid_entry2 entry{};
    entry.function = leaf;
    entry.index = index;
    entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    entry.eax = shift;
    entry.ebx = count;
    entry.ecx = index | type;
    cpuid.push_back(entry);
  };
  level(0, kThreads, 0, 1);
  level(1, kCores, id_bits, std::min(vcpus, kCountMax));
  level(2, 0, 0, 0);
}

}  // namespace

void shape_topology(Cpuid& cpuid, std::uint32_t vcpus) {
  constexpr std::uint32_t kCmpLegacy = 1U << 1;  // of 0x80000001's ecx: cores, not threads
  const auto id_bits = static_cast<unsigned>(std::bit_width(vcpus - 1));
  const std::uint32_t ids = 1U << id_bits;
  const bool amd = is_amd(cpuid);
  std::erase_if(cpuid, [](const kvm_cpuid_entry2& entry) {
    return entry.function == kTopology || entry.function == kTopologyV2 ||
           entry.function == kAmdTopologyV2;
  });
  for (kvm_cpuid_entry2& entry : cpuid) switch (entry.function) {
      case kCaches:
        if ((entry.eax & 0x1f) == 0) break;  // the end of the list
        share_cache(entry, ids);
        set_bits(entry.eax, 26, 6, ids - 1);
        break;
      case kAmdCaches:
        if ((entry.eax & 0x1f) != 0) share_cache(entry, ids);
        break;
      case kAmdFeatures:
        if (!amd) break;
        entry.ecx &= ~kCmpLegacy;
        if (vcpus > 1) entry.ecx |= kCmpLegacy;
        break;
      case kAmdSizes:
        if (!amd) break;
        set_bits(entry.ecx, 0, 8, vcpus - 1);
        set_bits(entry.ecx, 12, 4, id_bits);
        break;
      default:
        break;
    }
  const kvm_cpuid_entry2* max = find(cpuid, kMaxLeaf);
  const std::uint32_t last = max == nullptr ? 0 : max->eax;
  for (const std::uint32_t leaf : {kTopology, kTopologyV2})
    if (last >= leaf) add_levels(cpuid, leaf, vcpus, id_bits);
}

void tell_frequencies(Cpuid& cpuid, std::uint32_t tsc_khz) {
  constexpr std::uint32_t kInvariantTsc = 1U << 8;
  constexpr std::uint32_t kApicKhz = 1'000'000;  // KVM's: a tick is a nanosecond
  const kvm_cpuid_entry2* power = find(cpuid, kPowerManagement);
  if (power == nullptr || (power->edx & kInvariantTsc) == 0 || find(cpuid, kTiming) != nullptr)
    return;
  for (kvm_cpuid_entry2& entry : cpuid)
    if (entry.function == kSignature) entry.eax = std::max(entry.eax, kTiming);
  kvm_cpuid_entry2 timing{};
  timing.function = kTiming;
  timing.eax = tsc_khz;
  timing.ebx = kApicKhz;
  cpuid.push_back(timing);
}

}  // namespace vmctl
