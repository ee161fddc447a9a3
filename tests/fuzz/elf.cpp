// SPDX-License-Identifier: GPL-2.0
// Plain ELF executables.
#include "load/elf.hpp"

#include "planning.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::check_planner(data, size, vmctl::plan_elf);
  return 0;
}
