// SPDX-License-Identifier: GPL-2.0
// Changes of control registers: which, and their old and new values.
#include "machine/control_registers.hpp"

#include <bit>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  kvm_sregs before{};
  kvm_sregs after{};
  std::size_t differ = 0;
  for (__u64 kvm_sregs::*member :
       {&kvm_sregs::cr0, &kvm_sregs::cr3, &kvm_sregs::cr4, &kvm_sregs::cr8, &kvm_sregs::efer}) {
    before.*member = input.number<std::uint64_t>();
    after.*member = input.number<std::uint64_t>();
    if (before.*member != after.*member) ++differ;
  }
  const auto changes = control_changes(before, after);
  require(changes.size() == differ, "what differs is a change");
  for (const ControlChange& change : changes) {
    require(is_safe(format_change(change)), "a change can be shown");
    const bool number = change.name == "cr3" || change.name == "cr8";
    const auto bits = number ? 0 : std::popcount(change.before ^ change.after);
    require(change.set.size() + change.cleared.size() == static_cast<std::size_t>(bits),
            "each bit has a name");
  }
  return 0;
}
