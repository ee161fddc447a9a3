// SPDX-License-Identifier: GPL-2.0
// The file of limits, /etc/vmctl/policy.
//
// A line each, of words with blanks between; what follows # is a remark:
//
//   total vms 512             all users together
//   each memory 8G            each user who has no limit of his own
//   user 1000 vms 4           one, by number
//   user alice memory max     or by name
//
// The resources are vms, vcpus, memory, nested (VMs that may run VMs themselves) and, but for
// total, vm_vcpus: vCPUs of one VM. The file is the whole policy: what it does not name is as the
// module has it at first, and of a user as it is for each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "policy/limits.hpp"

namespace vmctl {

inline constexpr const char* kPolicyPath = "/etc/vmctl/policy";
// Of a file; more is refused.
inline constexpr std::size_t kPolicySize = 1 << 20;

using Policy = std::map<Scope, Limits>;

// What one line sets.
struct PolicyRule {
  Scope scope;
  Resource resource = Resource::vms;
};

struct PolicyLine {
  std::string_view text;           // without the newline
  std::optional<PolicyRule> rule;  // nothing in an empty line
};

// The number of a user of this name; nothing if there is none.
using FindUser = std::function<std::optional<std::uint32_t>(std::string_view name)>;

// bad_image: a line that is not of this form, or a text that is too large; where:
// "path:LINE:COLUMN", both from 1, bytes.
Result<Policy> parse_policy(std::string_view text, std::string_view path,
                            const FindUser& find_user);
// The same, line by line; they point into the text.
Result<std::vector<PolicyLine>> parse_policy_lines(std::string_view text, std::string_view path,
                                                   const FindUser& find_user);

}  // namespace vmctl
