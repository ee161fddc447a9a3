// SPDX-License-Identifier: GPL-2.0
// What is said of a failure, whatever words it was made of: four lines.
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  Error error{.what = input.line(), .where = input.line(), .why = input.line()};
  error.advice = input.rest();
  const std::string text = error.text();
  require(is_safe(text.substr(0, text.find('\n'))), "the failure is one safe line");
  std::string all = text;
  std::erase(all, '\n');
  require(is_safe(all), "so is the advice, line by line");
  require((text.find('\n') == std::string::npos) == error.advice.empty(),
          "advice stands on a line of its own");
  return 0;
}
