// SPDX-License-Identifier: GPL-2.0-only
//
// abi-dump: prints the interface as numbers. tests/abi/vmctl.abi is its output.
#include <cstdio>

#include "dump.hpp"

int main() {
  std::fputs(uapi::dump().c_str(), stdout);
  return 0;
}
