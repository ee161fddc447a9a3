// SPDX-License-Identifier: GPL-2.0
#include "machine/msi_routes.hpp"

#include <algorithm>

namespace vmctl {

class MsiRoutes::Vector final : public MsiVector {
 public:
  Vector(MsiRoutes& routes, std::uint32_t gsi) : routes_(routes), gsi_(gsi) {}

  void route(const MsiMessage& message) override {
    if (routes_.set(gsi_, message) && !bound_)
      bound_ = routes_.vm_.raise_by(event_, gsi_).has_value();
  }
  void raise() override { event_.set(); }

 private:
  MsiRoutes& routes_;
  std::uint32_t gsi_;
  Event event_;
  bool bound_ = false;  // stays so for the VM's life
};

std::unique_ptr<MsiVector> MsiRoutes::vector() {
  return std::make_unique<Vector>(*this, next_gsi_++);
}

bool MsiRoutes::set(std::uint32_t gsi, const MsiMessage& message) {
  kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = KVM_IRQ_ROUTING_MSI;
  entry.u.msi.address_lo = static_cast<__u32>(message.address);
  entry.u.msi.address_hi = static_cast<__u32>(message.address >> 32);
  entry.u.msi.data = message.data;

  const std::lock_guard guard(lock_);
  std::erase_if(routes_, [gsi](const kvm_irq_routing_entry& old) { return old.gsi == gsi; });
  routes_.push_back(entry);
  if (vm_.route_interrupts(routes_)) return true;
  // The guest's words mean nothing to KVM: the others' routes stay as they are.
  routes_.pop_back();
  static_cast<void>(vm_.route_interrupts(routes_));
  return false;
}

}  // namespace vmctl
