// SPDX-License-Identifier: GPL-2.0
#include "kernel/quota.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "kernel/node.hpp"
#include "kernel/resource.hpp"

namespace vmctl {
namespace {

// A fresh file gets all that is kept; ours is the last one.
std::optional<vmctl_event> last_limit_of_ours() {
  const auto node = Node::open_vmctl();
  if (!node) return std::nullopt;
  std::optional<vmctl_event> last;
  vmctl_event event{};
  while (call(node->fd(), ioc::vmctl_get_event, event))
    if (event.kind == VMCTL_EVENT_LIMIT && event.pid == ::getpid() &&
        event.resource < kResources.size())
      last = event;
  return last;
}

std::string how_to_raise(const vmctl_event& event, Resource resource, bool total) {
  std::string option(name_of(resource));
  if (const auto line = option.find('_'); line != std::string::npos) option[line] = '-';
  if (total) return fmt::format("vmctl policy set --total --{} ...", option);
  // In a user namespace that does not know him: whoever made it.
  if (event.payer == kNobody)
    return fmt::format("vmctl policy set --user ... --{} ..., outside of this user namespace",
                       option);
  return fmt::format("vmctl policy set --user {} --{} ...", event.payer, option);
}

}  // namespace

void explain_quota(Error& error, const vmctl_event& event) {
  const Resource resource{event.resource};
  const bool total = event.scope == VMCTL_SCOPE_TOTAL;
  const std::string in_use = event.used == VMCTL_UNKNOWN
                                 ? ""
                                 : fmt::format("{} in use, ", format_limit(resource, event.used));
  error.why = fmt::format("the limit of {}{}, {}, is reached: {}{} wanted", name_of(resource),
                          total ? " of all users" : "", format_limit(resource, event.limit), in_use,
                          format_limit(resource, event.wanted));
  error.advice = fmt::format("end what you do not need (vmctl ps), or ask root for more: {}",
                             how_to_raise(event, resource, total));
}

Error explain_charged(std::string_view name, Errno error) {
  Error explained = explain(name, error);
  if (error.code != EDQUOT) return explained;
  if (const auto event = last_limit_of_ours()) explain_quota(explained, *event);
  return explained;
}

}  // namespace vmctl
