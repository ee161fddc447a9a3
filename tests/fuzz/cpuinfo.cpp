// SPDX-License-Identifier: GPL-2.0
// What is looked for in /proc/cpuinfo: a flag, and the text below it.
#include <sstream>

#include "kernel/cpu.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

// The same, as one would say it: the first line "flags : ...".
bool reference(const std::string& cpuinfo, const std::string& flag) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("flags")) continue;
    const auto after = line.find_first_not_of(" \t", 5);
    if (after == std::string::npos || line[after] != ':') continue;
    std::string words = line.substr(after + 1);
    std::replace(words.begin(), words.end(), '\t', ' ');
    return (" " + words + " ").find(" " + flag + " ") != std::string::npos;
  }
  return false;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const std::string flag = input.line();
  if (flag.empty() || flag.find_first_of(" \t") != std::string::npos) return 0;
  const std::string cpuinfo = input.rest();
  require(cpu_has_flag(cpuinfo, flag) == reference(cpuinfo, flag), "a flag is a word of its line");
  return 0;
}
