// SPDX-License-Identifier: GPL-2.0
// Multiboot images.
#include "load/multiboot1.hpp"

#include "planning.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::check_planner(data, size, vmctl::plan_multiboot1);
  return 0;
}
