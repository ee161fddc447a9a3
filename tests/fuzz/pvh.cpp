// SPDX-License-Identifier: GPL-2.0
// PVH images.
#include "load/pvh.hpp"

#include "planning.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::check_planner(data, size, vmctl::plan_pvh);
  return 0;
}
