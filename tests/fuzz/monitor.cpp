// SPDX-License-Identifier: GPL-2.0
// A line for the monitor.
#include "console/monitor.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  using Kind = MonitorCommand::Kind;
  const std::string line = Input(data, size).rest();
  const auto command = parse_monitor(line);
  if (is_error(command)) return 0;
  require(command->kind == Kind::dump || command->length == 0, "a length is of a dump");
  require(command->kind == Kind::nmi || command->vcpu == 0, "a vCPU is of an NMI");
  if (command->kind == Kind::leave)
    require(line.find_first_not_of(" \t") == std::string::npos ||
                line.find("cont") != std::string::npos,
            "a way back was asked for");
  std::string raw = for_raw_terminal(line);
  require(for_raw_terminal(raw) == raw, "lines are ended once");
  return 0;
}
