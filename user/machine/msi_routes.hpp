// SPDX-License-Identifier: GPL-2.0
// Messages of devices to KVM's local APICs: each vector is an eventfd of KVM's (KVM_IRQFD) and a
// route beside those of the interrupt lines (KVM_SET_GSI_ROUTING).
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "bus/msi.hpp"
#include "vm/vm.hpp"

namespace vmctl {

class MsiRoutes {
 public:
  // `vm`, with KVM's interrupt controllers, must outlive it and its vectors, as it must them.
  explicit MsiRoutes(const Vm& vm) : vm_(vm), routes_(pc_irq_routes()) {}

  // Costs nothing in KVM until it is routed.
  std::unique_ptr<MsiVector> vector();

 private:
  class Vector;
  // False where KVM does not take it; then it leads nowhere.
  bool set(std::uint32_t gsi, const MsiMessage& message);

  const Vm& vm_;
  std::mutex lock_;
  std::vector<kvm_irq_routing_entry> routes_;  // guarded by lock_
  std::uint32_t next_gsi_ = 24;                // behind the IOAPIC's pins
};

}  // namespace vmctl
