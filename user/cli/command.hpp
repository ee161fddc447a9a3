// SPDX-License-Identifier: GPL-2.0
// The table of commands, and what its rows need.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace vmctl::cli {

// What the command line asked for: carried out when all of it has been understood. Returns the
// exit status.
using Action = std::function<Result<int>()>;

struct Command {
  std::string_view name;
  std::string_view summary;
  // Declares options, and sets `action` when the command is chosen.
  void (*add)(CLI::App& command, Action& action);
};

std::span<const Command> commands();

// One for each file of this directory.
void add_load(CLI::App& command, Action& action);
void add_inspect(CLI::App& command, Action& action);
void add_module(CLI::App& command, Action& action);
void add_attach(CLI::App& command, Action& action);
void add_ps(CLI::App& command, Action& action);
void add_revoke(CLI::App& command, Action& action);
void add_policy(CLI::App& command, Action& action);
void add_top(CLI::App& command, Action& action);
void add_events(CLI::App& command, Action& action);
void add_stat(CLI::App& command, Action& action);
void add_metrics(CLI::App& command, Action& action);
void add_doctor(CLI::App& command, Action& action);
void add_dmesg(CLI::App& command, Action& action);
void add_ioctl(CLI::App& command, Action& action);

// Held (lock_file) by what changes the module or the policy, so that such commands run one after
// the other. Only root can; others are refused what they try.
inline constexpr const char* kChangeLock = "/run/vmctl.lock";

// What arguments (without the program's name) ask for; usage: they cannot be understood.
Result<Action> understand(std::span<const std::string_view> arguments);

// Understands arguments and carries them out. Returns the exit status.
int run(std::span<const std::string_view> arguments);

}  // namespace vmctl::cli
