// SPDX-License-Identifier: GPL-2.0
// What the module limits, and amounts of it as text.
#pragma once

#include <linux/vmctl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmctl {

enum class Resource : std::uint32_t {
  vms = VMCTL_VMS,
  vcpus = VMCTL_VCPUS,
  memory = VMCTL_MEMORY,
  vm_vcpus = VMCTL_VM_VCPUS,
  nested = VMCTL_NESTED,
};

inline constexpr std::array kResources{Resource::vms, Resource::vcpus, Resource::memory,
                                       Resource::vm_vcpus, Resource::nested};
static_assert(kResources.size() == VMCTL_RESOURCES);
inline constexpr std::uint64_t kUnlimited = VMCTL_UNLIMITED;
// No limit, in words.
inline constexpr std::string_view kNoLimit = "max";
// The number that no user has (chown(2)); what the module says where it does not tell.
inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// How many vCPUs one VM has is limited for its owner, and not of all together; nor is it something
// that anybody holds.
constexpr bool has_limit(std::uint32_t scope, Resource resource) {
  return scope != VMCTL_SCOPE_TOTAL || resource != Resource::vm_vcpus;
}
constexpr bool is_held(Resource resource) {
  return resource != Resource::vm_vcpus;
}

// As in the policy file and in sysfs: "vms", "vcpus", "memory", "vm_vcpus", "nested".
std::string_view name_of(Resource resource);
std::optional<Resource> resource_of(std::string_view name);

// "max" for none, a size for memory, else a number.
std::string format_limit(Resource resource, std::uint64_t value);
// "max" for none, else a number.
std::string format_exactly(std::uint64_t value);

}  // namespace vmctl
