// SPDX-License-Identifier: GPL-2.0
// Uncompressed Linux.
#include "load/vmlinux.hpp"

#include "planning.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::check_planner(data, size, vmctl::plan_vmlinux);
  return 0;
}
