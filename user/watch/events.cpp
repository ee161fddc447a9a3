// SPDX-License-Identifier: GPL-2.0
#include "watch/events.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "base/bytes.hpp"
#include "kernel/ioctl.hpp"
#include "kernel/resource.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
std::string name_in(const vmctl_event& event) {
  return escaped_name(text_in(event.name));
}

std::string resource_in(const vmctl_event& event) {
  if (event.resource >= kResources.size()) return fmt::format("resource {}", event.resource);
  return std::string(name_of(Resource{event.resource}));
}

std::string amount(const vmctl_event& event, std::uint64_t value) {
  if (event.resource >= kResources.size()) return fmt::format("{}", value);
  return format_limit(Resource{event.resource}, value);
}

std::string time_of(const vmctl_event& event) {
  const auto seconds = static_cast<std::time_t>(event.time_ns / kSecond);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}", local, event.time_ns % kSecond / 1'000'000);
}

// Whose limit it is.
std::string payer(const vmctl_event& event) {
  if (event.scope == VMCTL_SCOPE_TOTAL) return "all users";
  if (event.payer == event.uid || event.payer == kNobody) return "the user";
  return fmt::format("uid {}", event.payer);
}

// What it was about, behind the kind.
std::string subject(const vmctl_event& event) {
  const std::string name = name_in(event);
  switch (event.kind) {
    case VMCTL_EVENT_REFUSED:
      return event.vm == 0 ? name : fmt::format("{}, vm {}", name, event.vm);
    case VMCTL_EVENT_LIMIT:
      return fmt::format("{} of {}: {} wanted, {} of {} in use", resource_in(event), payer(event),
                         amount(event, event.wanted),
                         event.used == VMCTL_UNKNOWN ? "?" : amount(event, event.used),
                         amount(event, event.limit));
    default:
      return fmt::format("vm {} \"{}\"", event.vm, name);
  }
}

}  // namespace

Result<std::optional<vmctl_event>> next_event(const Node& node) {
  vmctl_event event{};
  const auto done = call(node.fd(), ioc::vmctl_get_event, event);
  if (done) return std::optional(event);
  if (done.error().code == EAGAIN) return std::optional<vmctl_event>();
  return fail(explain(ioc::vmctl_get_event.name, done.error()));
}

Result<bool> wait_for_event(const Node& node, int reader) {
  std::array<pollfd, 2> waiting{{{.fd = node.fd().get(), .events = POLLPRI, .revents = 0},
                                 {.fd = reader, .events = 0, .revents = 0}}};
  if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
    return fail({.what = "cannot wait for events", .where = node.path(), .why = errno_text(errno)});
  return (waiting[1].revents & (POLLERR | POLLHUP)) == 0;
}

std::string event_kind(const vmctl_event& event) {
  constexpr std::array<const char*, 6> kKinds{"",        "created", "ended",
                                              "revoked", "refused", "limit"};
  if (event.kind == 0 || event.kind >= kKinds.size()) return fmt::format("kind-{}", event.kind);
  return kKinds[event.kind];
}

std::string format_event(const vmctl_event& event) {
  std::string text =
      fmt::format("{} {} {}, uid {}", time_of(event), event_kind(event), subject(event), event.uid);
  if (event.by_uid != event.uid) text += fmt::format(", by uid {}", event.by_uid);
  if (event.pid != 0) text += fmt::format(", pid {}", event.pid);
  if (event.missed != 0) text += fmt::format(" ({} before it came too fast)", event.missed);
  return text;
}

nlohmann::json event_to_json(const vmctl_event& event) {
  nlohmann::json json{{"kind", event_kind(event)}, {"time_ns", event.time_ns},
                      {"uid", event.uid},          {"by_uid", event.by_uid},
                      {"pid", event.pid},          {"missed", event.missed}};
  if (event.seq != 0) json["seq"] = event.seq;
  if (event.vm != 0) json["vm"] = event.vm;
  switch (event.kind) {
    case VMCTL_EVENT_REFUSED:
      json["command"] = name_in(event);
      json["number"] = event.cmd;
      break;
    case VMCTL_EVENT_LIMIT:
      json["resource"] = resource_in(event);
      json["of"] = event.scope == VMCTL_SCOPE_TOTAL ? "total" : "user";
      json["limit"] = event.limit;
      json["used"] = event.used == VMCTL_UNKNOWN ? nlohmann::json() : nlohmann::json(event.used);
      if (event.scope == VMCTL_SCOPE_USER && event.payer != kNobody) json["payer"] = event.payer;
      json["wanted"] = event.wanted;
      break;
    default:
      json["name"] = name_in(event);
  }
  return json;
}

}  // namespace vmctl
