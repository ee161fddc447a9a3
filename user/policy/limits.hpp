// SPDX-License-Identifier: GPL-2.0
// How much of KVM may be held: of all together, of each user, of one user.
#pragma once

#include <linux/vmctl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/node.hpp"
#include "kernel/resource.hpp"

namespace vmctl {

// Whose limits.
struct Scope {
  std::uint32_t kind = VMCTL_SCOPE_DEFAULT;
  std::uint32_t uid = 0;  // VMCTL_SCOPE_USER

  static Scope total() { return {VMCTL_SCOPE_TOTAL, 0}; }
  static Scope each() { return {VMCTL_SCOPE_DEFAULT, 0}; }
  static Scope user(std::uint32_t uid) { return {VMCTL_SCOPE_USER, uid}; }
  // NOLINTNEXTLINE(modernize-use-nullptr): sees a 0 in what the compiler makes.
  auto operator<=>(const Scope&) const = default;
};

// The limits that are named, by Resource; the others are left as they are, or, for a user, are
// those of each.
struct Limits {
  std::array<std::optional<std::uint64_t>, VMCTL_RESOURCES> limit;

  std::optional<std::uint64_t>& operator[](Resource resource) {
    return limit[static_cast<std::size_t>(resource)];
  }
  const std::optional<std::uint64_t>& operator[](Resource resource) const {
    return limit[static_cast<std::size_t>(resource)];
  }
  bool operator==(const Limits&) const = default;
};

// "max", or a number as parse_number() takes it, of memory as parse_size(). The other way round:
// format_limit().
Result<std::uint64_t> parse_limit(Resource resource, std::string_view text);

// Those that are a user's own; of all and of each they all are.
Limits own_of(const vmctl_limits& limits);

// refused: the opener is not root; else as explain() has it.
Result<vmctl_limits> read_limits(const Node& node, Scope scope);
// Whether the opener sees what others hold: CAP_SYS_ADMIN, whatever his number.
Result<bool> sees_all(const Node& node);
// Of all users who have limits of their own, by uid. For who sees_all().
Result<std::vector<vmctl_limits>> read_own_limits(const Node& node);

// What becomes of the limits of all or of each that are not named.
enum class Others { stay, as_at_first };
Result<> write_limits(const Node& node, Scope scope, const Limits& limits,
                      Others others = Others::stay);

}  // namespace vmctl
