// SPDX-License-Identifier: GPL-2.0
#include "vm/irq_routes.hpp"

#include <cstdint>

namespace vmctl {
namespace {

kvm_irq_routing_entry pin_of(std::uint32_t gsi, std::uint32_t irqchip, std::uint32_t pin) {
  kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = KVM_IRQ_ROUTING_IRQCHIP;
  entry.u.irqchip.irqchip = irqchip;
  entry.u.irqchip.pin = pin;
  return entry;
}

}  // namespace

std::vector<kvm_irq_routing_entry> pc_irq_routes() {
  constexpr std::uint32_t kTimer = 0;
  constexpr std::uint32_t kCascade = 2;
  constexpr std::uint32_t kPicLines = 8;
  constexpr std::uint32_t kIsaLines = 16;
  constexpr std::uint32_t kIoApicPins = 24;
  std::vector<kvm_irq_routing_entry> routes;
  for (std::uint32_t gsi = 0; gsi < kIoApicPins; ++gsi) {
    if (gsi < kIsaLines)
      routes.push_back(pin_of(gsi, gsi < kPicLines ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                              gsi % kPicLines));
    if (gsi != kCascade)
      routes.push_back(pin_of(gsi, KVM_IRQCHIP_IOAPIC, gsi == kTimer ? kCascade : gsi));
  }
  return routes;
}

}  // namespace vmctl
