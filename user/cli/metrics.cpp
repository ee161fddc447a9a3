// SPDX-License-Identifier: GPL-2.0
// vmctl metrics: figures for Prometheus.
#include "watch/metrics.hpp"

#include <fmt/format.h>

#include "cli/command.hpp"
#include "policy/commands.hpp"
#include "policy/limits.hpp"

namespace vmctl::cli {
namespace {

Result<int> print_metrics() {
  const Node node = TRY(Node::open_vmctl());
  const auto commands = TRY(read_commands(node));
  const PolicyFigures policy{.of_all = TRY(sees_all(node)),
                             .total = TRY(read_limits(node, Scope::total())),
                             .each = TRY(read_limits(node, Scope::each())),
                             .commands = commands};
  fmt::print("{}", format_metrics(TRY(take_sample(node)), policy));
  return 0;
}

}  // namespace

void add_metrics(CLI::App& command, Action& action) {
  command.footer(
      "Your own VMs; for root all of them, what all users hold, and what was refused. For\n"
      "node_exporter: vmctl metrics > FILE.partial && mv FILE.partial FILE.prom, every minute.");
  command.callback([&action] { action = print_metrics; });
}

}  // namespace vmctl::cli
