// SPDX-License-Identifier: GPL-2.0
#include "kernel/resource.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/size.hpp"

namespace vmctl {

std::string_view name_of(Resource resource) {
  constexpr std::array<std::string_view, VMCTL_RESOURCES> kNames{"vms", "vcpus", "memory",
                                                                 "vm_vcpus", "nested"};
  return kNames[static_cast<std::size_t>(resource)];
}

std::optional<Resource> resource_of(std::string_view name) {
  const auto* const found = std::ranges::find(kResources, name, name_of);
  if (found == kResources.end()) return std::nullopt;
  return *found;
}

std::string format_limit(Resource resource, std::uint64_t value) {
  if (resource == Resource::memory && value != kUnlimited) return format_size(value);
  return format_exactly(value);
}

std::string format_exactly(std::uint64_t value) {
  return value == kUnlimited ? std::string(kNoLimit) : fmt::format("{}", value);
}

}  // namespace vmctl
