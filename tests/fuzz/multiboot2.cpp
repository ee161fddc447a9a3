// SPDX-License-Identifier: GPL-2.0
// Multiboot2 images.
#include "load/multiboot2.hpp"

#include "planning.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::check_planner(data, size, vmctl::plan_multiboot2);
  return 0;
}
