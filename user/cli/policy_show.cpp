// SPDX-License-Identifier: GPL-2.0
#include "cli/policy_show.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/bytes.hpp"
#include "kernel/node.hpp"
#include "policy/commands.hpp"
#include "policy/limits.hpp"
#include "policy/user_name.hpp"

namespace vmctl::cli {
namespace {

struct Shown {
  std::string whose;
  vmctl_limits limits;
  bool has_use;
};

nlohmann::json to_json(const Shown& shown) {
  nlohmann::json json{{"of", shown.whose}};
  for (const Resource resource : kResources) {
    if (!has_limit(shown.limits.scope, resource)) continue;
    const auto i = static_cast<std::size_t>(resource);
    const std::string name(name_of(resource));
    if (shown.limits.limit[i] == kUnlimited)
      json[name]["limit"] = nullptr;
    else
      json[name]["limit"] = shown.limits.limit[i];
    if (!shown.has_use) continue;
    if (is_held(resource)) json[name]["used"] = shown.limits.used[i];
    json[name]["refused"] = shown.limits.refused[i];
  }
  return json;
}

nlohmann::json to_json(const vmctl_command& command) {
  return {{"name", escaped(text_in(command.name))},
          {"number", command.cmd},
          {"on", fds_text(command.on)},
          {"verdict", verdict_name(command.verdict)},
          {"why", escaped(text_in(command.why))},
          {"refusals", command.refusals}};
}

void print_limits(const std::vector<Shown>& all) {
  fmt::print("{:<16}  {:<8}  {:>10}  {:>10}  {:>8}\n", "LIMIT OF", "WHAT", "LIMIT", "USED",
             "REFUSED");
  for (const Shown& shown : all)
    for (const Resource resource : kResources) {
      const auto i = static_cast<std::size_t>(resource);
      if (!has_limit(shown.limits.scope, resource)) continue;
      const bool counted = shown.has_use && is_held(resource);
      fmt::print("{:<16}  {:<8}  {:>10}  {:>10}  {:>8}\n", shown.whose, name_of(resource),
                 format_limit(resource, shown.limits.limit[i]),
                 counted ? format_limit(resource, shown.limits.used[i]) : "-",
                 shown.has_use ? fmt::format("{}", shown.limits.refused[i]) : "-");
    }
}

void print_commands(const std::vector<vmctl_command>& commands) {
  fmt::print("\n{:<34}  {:<14}  {:<8}  {}\n", "COMMAND", "ON", "VERDICT", "WHY");
  for (const vmctl_command& command : commands)
    fmt::print("{:<34}  {:<14}  {:<8}  {}{}\n", escaped(text_in(command.name)),
               fds_text(command.on), verdict_name(command.verdict), escaped(text_in(command.why)),
               command.refusals == 0 ? "" : fmt::format(" ({} times)", command.refusals));
}

// The one who is asked for; else oneself, and whoever sees all, all who have limits of their own.
Result<std::vector<Shown>> limits_of_users(const Node& node, const PolicyShown& options,
                                           bool of_all) {
  const std::uint32_t uid = options.of_user ? TRY(uid_of(options.user)) : ::getuid();
  std::vector<Shown> users;
  const auto add = [&](std::uint32_t number, const vmctl_limits& limits) {
    users.push_back({fmt::format("user {}", number), limits, true});
  };
  add(uid, TRY(read_limits(node, Scope::user(uid))));
  if (options.of_user || !of_all) return users;
  for (const vmctl_limits& limits : TRY(read_own_limits(node)))
    if (limits.uid != uid) add(limits.uid, limits);
  return users;
}

}  // namespace

Result<int> show_policy(const PolicyShown& options) {
  const Node node = TRY(Node::open_vmctl());
  const bool of_all = TRY(sees_all(node));
  std::vector<Shown> limits{{"all together", TRY(read_limits(node, Scope::total())), of_all},
                            {"each user", TRY(read_limits(node, Scope::each())), false}};
  for (Shown& user : TRY(limits_of_users(node, options, of_all))) limits.push_back(std::move(user));
  const auto commands = TRY(read_commands(node));
  if (!options.json) {
    print_limits(limits);
    print_commands(commands);
    return 0;
  }
  nlohmann::json json{{"limits", nlohmann::json::array()}, {"commands", nlohmann::json::array()}};
  for (const Shown& shown : limits) json["limits"].push_back(to_json(shown));
  for (const vmctl_command& command : commands) json["commands"].push_back(to_json(command));
  fmt::print("{}\n", json.dump());
  return 0;
}

}  // namespace vmctl::cli
