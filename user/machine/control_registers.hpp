// SPDX-License-Identifier: GPL-2.0
// What changed in the control registers, bit by bit (Intel SDM 3A 2.5; EFER: AMD APM 2, 3.1.7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/kvm.hpp"

namespace vmctl {

struct ControlChange {
  std::string_view name;  // "cr0"
  std::uint64_t before;
  std::uint64_t after;
  std::vector<std::string> set;      // names of bits: "PE"; "bit 9" where there is none
  std::vector<std::string> cleared;  // likewise; both empty for registers that hold no flags
};

// CR0, CR3, CR4, CR8 and EFER, as far as they differ.
std::vector<ControlChange> control_changes(const kvm_sregs& before, const kvm_sregs& after);

// "cr0 0x10 -> 0x11 +PE"
std::string format_change(const ControlChange& change);

}  // namespace vmctl
