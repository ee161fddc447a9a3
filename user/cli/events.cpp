// SPDX-License-Identifier: GPL-2.0
// vmctl events: who made, ended or was refused what.
#include "watch/events.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/log.hpp"
#include "cli/command.hpp"

namespace vmctl::cli {
namespace {

struct EventsOptions {
  bool json = false;
  bool new_only = false;
  bool kept_only = false;
};

Failure cannot_write(int error) {
  return fail({.status = Status::output,
               .what = "cannot write to standard output",
               .why = errno_text(error)});
}

Result<> print(const vmctl_event& event, bool json) {
  fmt::print("{}\n", json ? event_to_json(event).dump() : format_event(event));
  if (std::fflush(stdout) == 0) return {};
  return cannot_write(errno);
}

Result<> skip_kept(const Node& node) {
  while (TRY(next_event(node))) {
  }
  return {};
}

Result<int> follow(const EventsOptions& options) {
  const Node node = TRY(Node::open_vmctl());
  if (options.new_only) TRY(skip_kept(node));
  std::uint64_t expected = 0;
  for (;;) {
    const auto event = TRY(next_event(node));
    if (event) {
      if (expected != 0 && event->seq > expected)
        note(fmt::format("{} events are no longer kept: it went too fast", event->seq - expected));
      if (event->seq != 0) expected = event->seq + 1;
      TRY(print(*event, options.json));
      continue;
    }
    if (options.kept_only) return 0;
    if (!TRY(wait_for_event(node, STDOUT_FILENO))) return cannot_write(EPIPE);
  }
}

}  // namespace

void add_events(CLI::App& command, Action& action) {
  command.footer(
      "Those of your own VMs and commands; all for root. First those that the module has kept,\n"
      "then each as it comes, until Ctrl-C.");
  auto options = std::make_shared<EventsOptions>();
  CLI::Option* kept = command.add_flag("--kept", options->kept_only, "end behind those kept");
  command.add_flag("--new", options->new_only, "leave those kept out")->excludes(kept);
  command.add_flag("--json", options->json, "each as a JSON object, a line for each");
  command.callback([options, &action] { action = [options] { return follow(*options); }; });
}

}  // namespace vmctl::cli
