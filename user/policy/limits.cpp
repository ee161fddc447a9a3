// SPDX-License-Identifier: GPL-2.0
#include "policy/limits.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "base/size.hpp"
#include "kernel/ioctl.hpp"

namespace vmctl {
namespace {

Error explain_limits(std::string_view name, Errno error) {
  if (error.code == EPERM)
    return {.status = Status::refused,
            .what = "cannot reach these limits",
            .where = kVmctlPath,
            .why = "only root sets limits, and sees those of others",
            .advice = "run it as root"};
  if (error.code == ENOSPC)
    return {.status = Status::refused,
            .what = "cannot set limits for one more user",
            .why = "the module keeps those of 1024 at most",
            .advice = "vmctl policy set --user UID --reset takes one's away"};
  return explain(name, error);
}

SysResult<vmctl_limits> ask(const Node& node, Scope scope) {
  vmctl_limits limits{};
  limits.scope = scope.kind;
  limits.uid = scope.uid;
  if (const auto done = call(node.fd(), ioc::vmctl_get_limits, limits); !done)
    return tl::unexpected(done.error());
  return limits;
}

// Of the first user from this one on who has limits of his own; ENOENT: there is none any more.
SysResult<vmctl_limits> ask_from(const Node& node, std::uint32_t uid) {
  return ask(node, {.kind = VMCTL_SCOPE_NEXT, .uid = uid});
}

Failure cannot_read(Errno error) {
  return fail(explain_limits(ioc::vmctl_get_limits.name, error));
}

}  // namespace

Result<std::uint64_t> parse_limit(Resource resource, std::string_view text) {
  if (text == kNoLimit) return kUnlimited;
  const auto value = resource == Resource::memory ? parse_size(text) : parse_number(text);
  if (value && *value != kUnlimited) return *value;
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", text),
               .why = resource == Resource::memory ? "not a size (512M, 4G, 1048576) and not 'max'"
                                                   : "not a number and not 'max'"});
}

Result<vmctl_limits> read_limits(const Node& node, Scope scope) {
  const auto limits = ask(node, scope);
  if (!limits) return cannot_read(limits.error());
  return *limits;
}

Result<bool> sees_all(const Node& node) {
  const auto last = ask_from(node, kNobody - 1);
  if (last || last.error().code == ENOENT) return true;
  if (last.error().code == EPERM) return false;
  return cannot_read(last.error());
}

Limits own_of(const vmctl_limits& limits) {
  Limits own;
  for (const Resource resource : kResources) {
    const auto i = static_cast<std::size_t>(resource);
    if ((limits.set >> i & 1U) != 0) own[resource] = limits.limit[i];
  }
  return own;
}

Result<std::vector<vmctl_limits>> read_own_limits(const Node& node) {
  std::vector<vmctl_limits> all;
  for (std::uint64_t from = 0; from < kNobody; from = std::uint64_t{all.back().uid} + 1) {
    const auto limits = ask_from(node, static_cast<std::uint32_t>(from));
    if (!limits && limits.error().code == ENOENT) break;
    if (!limits) return cannot_read(limits.error());
    all.push_back(*limits);
  }
  return all;
}

Result<> write_limits(const Node& node, Scope scope, const Limits& limits, Others others) {
  vmctl_limits request{};
  if (others == Others::as_at_first) request.flags = VMCTL_LIMITS_REPLACE;
  request.scope = scope.kind;
  request.uid = scope.uid;
  for (const Resource resource : kResources) {
    if (!limits[resource]) continue;
    request.set |= 1U << static_cast<unsigned>(resource);
    request.limit[static_cast<std::size_t>(resource)] = *limits[resource];
  }
  if (const auto done = call(node.fd(), ioc::vmctl_set_limits, request); !done)
    return fail(explain_limits(ioc::vmctl_set_limits.name, done.error()));
  return {};
}

}  // namespace vmctl
