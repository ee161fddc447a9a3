// SPDX-License-Identifier: GPL-2.0-only
//
// The four things of a machine that hold it, and letting them go one by one.
#pragma once

#include <array>

#include "machine.hpp"

namespace t {

enum Part { kSystem, kVm, kVcpu, kPage };
inline constexpr std::array<Part, 4> kParts = {kSystem, kVm, kVcpu, kPage};

inline void drop(Machine& machine, Part part) {
  switch (part) {
    case kSystem:
      machine.system.close();
      break;
    case kVm:
      machine.vm.close();
      break;
    case kVcpu:
      machine.cpu.fd.close();
      break;
    case kPage:
      machine.cpu.page.unmap();
      break;
  }
}

}  // namespace t
