// SPDX-License-Identifier: GPL-2.0-only
//
// What a module can leave behind that has a name.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "sys.hpp"

namespace t {

struct Traces {
  std::vector<std::string> names;

  static Traces now() {
    Traces all;
    for (const char* folder : {"/dev", "/sys/class", "/sys/devices/virtual", "/sys/module"}) {
      for (const std::string& name : entries_of(folder)) {
        all.names.push_back(std::string(folder) + "/" + name);
      }
    }
    for (const std::string& link : entries_of("/sys/dev/char")) all.names.push_back(link);
    for (const std::string& line : lines_of(slurp("/proc/devices"))) all.names.push_back(line);
    std::sort(all.names.begin(), all.names.end());
    return all;
  }
  bool operator==(const Traces&) const = default;
};

}  // namespace t
