// SPDX-License-Identifier: GPL-2.0
// What there is on this machine of all that vmctl needs.
#pragma once

#include <string>
#include <vector>

namespace vmctl::cli {

struct Finding {
  bool ok;
  std::string subject;
  std::string state;
  std::string mend;  // what to do; empty if there is nothing to do
};

// Looks at the processor, the kernel, the modules and the nodes; changes nothing.
std::vector<Finding> examine();

// The processor's virtualization, out of the text of /proc/cpuinfo.
Finding examine_cpu(const std::string& cpuinfo);

}  // namespace vmctl::cli
