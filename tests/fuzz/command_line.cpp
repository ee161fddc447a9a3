// SPDX-License-Identifier: GPL-2.0
// A whole command line, an argument a line: understood, and nothing done.
#include "cli/command.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<std::string> lines;
  while (!input.done() && lines.size() < 16) lines.push_back(input.line());
  const std::vector<std::string_view> arguments(lines.begin(), lines.end());
  const auto action = cli::understand(arguments);
  if (is_error(action)) {
    require(action.error().status == Status::usage, "what is not understood is wrong usage");
    require(!action.error().advice.empty(), "and is told where to read on");
    return 0;
  }
  require(static_cast<bool>(*action), "what is understood can be done");
  return 0;
}
