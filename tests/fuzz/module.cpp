// SPDX-License-Identifier: GPL-2.0
// Loading the module: lines of modinfo, the lockdown file, parameters, refusals.
#include "kernel/module.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const int error = input.number<std::uint8_t>();
  const bool privileged = input.flag();
  input.line();
  const std::string line = input.line();
  for (const std::string& name : parse_softdep(line)) {
    require(!name.empty() && name.find(' ') == std::string::npos, "a dependency is a word");
    require(!name.ends_with(':') && line.find(name) != std::string::npos, "of the line");
  }

  const std::string mode = parse_lockdown(input.line());
  require(mode != "none" && mode.find_first_of("[]") == std::string::npos,
          "a mode of lockdown is a word");

  const std::string name = input.line();
  require_error(explain_load_failure(name, {.error = error,
                                            .vermagic = input.line(),
                                            .release = input.line(),
                                            .lockdown = mode,
                                            .privileged = privileged}));

  const std::vector<std::string> known{"max_vms", "node"};
  const std::string parameter = input.rest();
  const auto checked = check_parameters(name, std::span(&parameter, 1), known);
  const bool good = parameter.starts_with("max_vms=") || parameter.starts_with("node=");
  require(is_error(checked) != good, "a parameter has a known name and a value");
  return 0;
}
