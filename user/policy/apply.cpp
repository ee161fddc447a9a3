// SPDX-License-Identifier: GPL-2.0
#include "policy/apply.hpp"

namespace vmctl {
namespace {

Result<Policy> in_force(const Node& node) {
  Policy policy;
  for (const Scope scope : {Scope::total(), Scope::each()})
    policy[scope] = own_of(TRY(read_limits(node, scope)));
  for (const vmctl_limits& limits : TRY(read_own_limits(node)))
    policy[Scope::user(limits.uid)] = own_of(limits);
  return policy;
}

// First who loses limits of his own: the module keeps those of so many only.
Result<> change(const Node& node, const Policy& from, const Policy& to) {
  for (const auto& [scope, limits] : from)
    if (scope.kind == VMCTL_SCOPE_USER && !to.contains(scope))
      TRY(write_limits(node, scope, Limits{}));
  for (const Scope scope : {Scope::total(), Scope::each()})
    if (!to.contains(scope)) TRY(write_limits(node, scope, Limits{}, Others::as_at_first));
  for (const auto& [scope, limits] : to)
    TRY(write_limits(node, scope, limits, Others::as_at_first));
  return {};
}

}  // namespace

Result<> apply(const Node& node, const Policy& policy) {
  const Policy before = TRY(in_force(node));
  auto done = change(node, before, policy);
  if (!done) [[maybe_unused]]
    const auto back = change(node, policy, before);
  return done;
}

}  // namespace vmctl
