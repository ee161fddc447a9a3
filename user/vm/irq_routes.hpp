// SPDX-License-Identifier: GPL-2.0
// Which of KVM's interrupt controllers a line (GSI) leads to.
#pragma once

#include <cstdint>
#include <vector>

#include "kernel/kvm.hpp"

namespace vmctl {

// As in a PC (ACPI 6.5, 5.2.12.5): lines 0 to 15 lead to the 8259As and to the IOAPIC's pins of
// the same numbers, but for the timer, whose pin is 2, and the cascade, which has none; lines 16 to
// 23 to the IOAPIC alone.
std::vector<kvm_irq_routing_entry> pc_irq_routes();

}  // namespace vmctl
