// SPDX-License-Identifier: GPL-2.0
// The file of limits, /etc/vmctl/policy, read and edited.
#include "policy/policy_file.hpp"

#include <fmt/format.h>

#include "policy/policy_edit.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::optional<std::uint32_t> user_named(std::string_view name) {
  if (name == "alice") return 1000;
  return std::nullopt;
}

std::string whose(const Scope& scope) {
  if (scope == Scope::total()) return "total";
  if (scope == Scope::each()) return "each";
  return fmt::format("user {}", scope.uid);
}

std::string written(const Policy& policy) {
  std::string text;
  for (const auto& [scope, limits] : policy)
    for (const Resource resource : kResources)
      if (const auto& limit = limits[resource])
        text += *limit == kUnlimited
                    ? fmt::format("{} {} max\n", whose(scope), name_of(resource))
                    : fmt::format("{} {} {}\n", whose(scope), name_of(resource), *limit);
  return text;
}

void edit(std::string_view text, Policy expected) {
  PolicyEdit change{
      .scope = Scope::user(1000), .whose = "user alice", .limits = {}, .alone = false};
  change.limits[Resource::memory] = 4096;
  expected[change.scope][Resource::memory] = 4096;
  const auto edited = edit_policy(text, "policy", user_named, change);
  // One user more than the module keeps, or a text that grows too large.
  if (is_error(edited)) return;
  const auto read = parse_policy(*edited, "edited", user_named);
  require(read.has_value() && *read == expected, "an edit changes what it names, and no more");
}

}  // namespace

FUZZ_TARGET(data, size) {
  const std::string text = Input(data, size).rest();
  const auto policy = parse_policy(text, "policy", user_named);
  if (is_error(policy)) {
    require(policy.error().where.starts_with("policy:"), "a bad line is named");
    return 0;
  }
  const auto again = parse_policy(written(*policy), "again", user_named);
  require(again.has_value(), "what was read is written");
  require(*again == *policy, "and reads the same");
  edit(text, *policy);
  return 0;
}
