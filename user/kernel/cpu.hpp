// SPDX-License-Identifier: GPL-2.0
// What /proc/cpuinfo says.
#pragma once

#include <algorithm>
#include <string_view>

namespace vmctl {

// True if the first processor's flags hold this one, as a whole word.
inline bool cpu_has_flag(std::string_view cpuinfo, std::string_view flag) {
  constexpr std::string_view kKey = "flags";
  std::string_view flags;
  for (std::string_view rest = cpuinfo; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const auto colon = line.find(':');
    if (line.starts_with(kKey) && colon != std::string_view::npos &&
        line.find_first_not_of(" \t", kKey.size()) == colon) {
      flags = line.substr(colon + 1);
      break;
    }
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  while (!flags.empty()) {
    const auto end = flags.find_first_of(" \t");
    if (flags.substr(0, end) == flag) return true;
    flags.remove_prefix(end == std::string_view::npos ? flags.size() : end + 1);
  }
  return false;
}

}  // namespace vmctl
