// SPDX-License-Identifier: GPL-2.0
// What /proc/cpuinfo says.
#pragma once

#include <string_view>

namespace vmctl {

// True if the first processor's flags hold this one, as a whole word.
inline bool cpu_has_flag(std::string_view cpuinfo, std::string_view flag) {
  const auto line = cpuinfo.find("flags");
  if (line == std::string_view::npos) return false;
  std::string_view flags = cpuinfo.substr(line, cpuinfo.find('\n', line) - line);
  while (!flags.empty()) {
    const auto end = flags.find_first_of(" \t");
    if (flags.substr(0, end) == flag) return true;
    flags.remove_prefix(end == std::string_view::npos ? flags.size() : end + 1);
  }
  return false;
}

}  // namespace vmctl
