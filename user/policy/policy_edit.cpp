// SPDX-License-Identifier: GPL-2.0
#include "policy/policy_edit.hpp"

#include <fmt/format.h>

namespace vmctl {
namespace {

std::string line_of(const PolicyEdit& edit, Resource resource) {
  return fmt::format("{} {} {}", edit.whose, name_of(resource),
                     format_exactly(*edit.limits[resource]));
}

// With the blanks before it.
std::string_view remark_of(std::string_view line) {
  const auto hash = line.find('#');
  if (hash == std::string_view::npos) return "";
  const auto end = line.substr(0, hash).find_last_not_of(" \t");
  return line.substr(end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

Result<std::string> edit_policy(std::string_view text, std::string_view path,
                                const FindUser& find_user, const PolicyEdit& edit) {
  std::string edited;
  Limits left = edit.limits;
  for (const PolicyLine& line : TRY(parse_policy_lines(text, path, find_user))) {
    const bool is_meant = line.rule && line.rule->scope == edit.scope;
    if (is_meant && left[line.rule->resource]) {
      edited += fmt::format("{}{}\n", line_of(edit, line.rule->resource), remark_of(line.text));
      left[line.rule->resource].reset();
    } else if (!is_meant || !edit.alone) {
      edited += fmt::format("{}\n", line.text);
    }
  }
  for (const Resource resource : kResources)
    if (left[resource]) edited += fmt::format("{}\n", line_of(edit, resource));
  // As a reader would have it, who counts users, too.
  TRY(parse_policy(edited, path, find_user));
  return edited;
}

}  // namespace vmctl
