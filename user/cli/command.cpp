// SPDX-License-Identifier: GPL-2.0
#include "cli/command.hpp"

#include <fmt/format.h>
#include <linux/vmctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <numeric>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"

namespace vmctl::cli {
namespace {

constexpr auto kCommands = std::to_array<Command>({
    {"load", "run a guest image in a new VM", add_load},
    {"inspect", "tell what an image is, and what of it would go where", add_inspect},
    {"attach", "be at the console of a VM that runs", add_attach},
    {"ps", "list the VMs that vmctl knows", add_ps},
    {"top", "watch VMs at work", add_top},
    {"stat", "show what a VM has done so far", add_stat},
    {"events", "follow who makes, ends or is refused what", add_events},
    {"metrics", "print figures for Prometheus", add_metrics},
    {"revoke", "take a VM away from whoever runs it", add_revoke},
    {"policy", "show or set who may have how much of KVM", add_policy},
    {"module", "load, unload or show the kernel module", add_module},
    {"doctor", "check what vmctl needs, and say how to mend it", add_doctor},
    {"dmesg", "show the module's lines of the kernel log", add_dmesg},
    {"ioctl", "tell what the number of an ioctl means", add_ioctl},
});

// Insertions, deletions and replacements from one word to the other (Levenshtein).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

Error unknown_command(std::string_view word) {
  Error error{.status = Status::usage,
              .what = fmt::format("there is no command '{}'", escaped(word)),
              .advice = "see: vmctl --help"};
  const Command* closest =
      std::min_element(kCommands.begin(), kCommands.end(), [&](const Command& a, const Command& b) {
        return distance(word, a.name) < distance(word, b.name);
      });
  if (distance(word, closest->name) <= 2)
    error.advice = fmt::format("did you mean: vmctl {}", closest->name);
  return error;
}

// The command line that was wrong, up to its options: "vmctl module load".
std::string chosen(const CLI::App& app) {
  std::string text = "vmctl";
  for (const CLI::App* level = &app; !level->get_subcommands().empty();) {
    level = level->get_subcommands().front();
    text += " " + level->get_name();
  }
  return text;
}

Action print(std::string text) {
  return [text = std::move(text)] {
    fmt::print("{}", text);
    return 0;
  };
}

}  // namespace

Result<Action> understand(std::span<const std::string_view> arguments) {
  CLI::App app("Run guests under a policed KVM, and watch over all that do.", "vmctl");
  app.set_version_flag("--version",
                       fmt::format("vmctl {} (ABI {})", VMCTL_VERSION, VMCTL_ABI_VERSION));
  app.require_subcommand(1);
  app.footer(
      "Each command has its own --help. Statuses: 0 well; 64 usage; the rest stands in\n"
      "vmctl load --help.");
  Action action;
  for (const Command& command : kCommands)
    command.add(*app.add_subcommand(std::string(command.name), std::string(command.summary)),
                action);

  if (arguments.empty()) return print(app.help());
  const std::string_view first = arguments.front();
  if (!first.starts_with('-') && std::none_of(kCommands.begin(), kCommands.end(),
                                              [&](const Command& c) { return c.name == first; }))
    return fail(unknown_command(first));

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    if (error.get_exit_code() == 0) {  // --help, --version
      app.exit(error, text, text);
      return print(text.str());
    }
    return fail({.status = Status::usage,
                 .what = error.what(),
                 .advice = fmt::format("see: {} --help", chosen(app))});
  }
  return action;
}

std::span<const Command> commands() {
  return kCommands;
}

namespace {

int cannot_print(int error) {
  note("cannot write to standard output: " + errno_text(error));
  return static_cast<int>(Status::output);
}

}  // namespace

int run(std::span<const std::string_view> arguments) {
  try {
    const auto status = [&]() -> Result<int> { return TRY(understand(arguments))(); }();
    if (!status) {
      report(status.error());
      return static_cast<int>(status.error().status);
    }
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return *status;
    return cannot_print(errno);
  } catch (const std::system_error& error) {
    // fmt::print throws where stdio only remembers.
    if (std::ferror(stdout) != 0) return cannot_print(error.code().value());
    note(fmt::format("internal error: {}", error.what()));
    return static_cast<int>(Status::internal);
  } catch (const std::exception& exception) {
    note(fmt::format("internal error: {}", exception.what()));
    return static_cast<int>(Status::internal);
  }
}

}  // namespace vmctl::cli
