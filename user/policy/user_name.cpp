// SPDX-License-Identifier: GPL-2.0
#include "policy/user_name.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>

#include "base/size.hpp"
#include "kernel/resource.hpp"

namespace vmctl {

std::optional<std::uint32_t> find_user(std::string_view name) {
  // Only one thread asks.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  const passwd* found = ::getpwnam(std::string(name).c_str());
  if (found == nullptr) return std::nullopt;
  return found->pw_uid;
}

Result<std::uint32_t> uid_of(std::string_view user) {
  if (const auto uid = parse_number(user); uid && *uid < kNobody)
    return static_cast<std::uint32_t>(*uid);
  if (const auto uid = find_user(user)) return *uid;
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", user),
               .why = "there is no user of this name or number",
               .advice = "getent passwd lists them"});
}

std::string word_for(std::string_view name, std::uint32_t uid) {
  const bool is_word =
      std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  const bool is_number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  return is_word && !is_number && find_user(name) ? std::string(name) : fmt::format("{}", uid);
}

}  // namespace vmctl
