// SPDX-License-Identifier: GPL-2.0
#include "vm/irq_routes.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace vmctl {
namespace {

std::optional<std::uint32_t> pin(std::uint32_t gsi, std::uint32_t irqchip) {
  std::optional<std::uint32_t> found;
  for (const kvm_irq_routing_entry& route : pc_irq_routes()) {
    EXPECT_EQ(route.type, static_cast<std::uint32_t>(KVM_IRQ_ROUTING_IRQCHIP));
    if (route.gsi != gsi || route.u.irqchip.irqchip != irqchip) continue;
    EXPECT_FALSE(found) << gsi;
    found = route.u.irqchip.pin;
  }
  return found;
}

TEST(IrqRoutes, ThePcs) {
  for (std::uint32_t gsi = 0; gsi < 24; ++gsi) {
    EXPECT_EQ(pin(gsi, KVM_IRQCHIP_PIC_MASTER), gsi < 8 ? std::optional(gsi) : std::nullopt);
    EXPECT_EQ(pin(gsi, KVM_IRQCHIP_PIC_SLAVE),
              gsi >= 8 && gsi < 16 ? std::optional(gsi - 8) : std::nullopt);
    const auto io = pin(gsi, KVM_IRQCHIP_IOAPIC);
    if (gsi == 0)
      EXPECT_EQ(io, 2U);
    else
      EXPECT_EQ(io, gsi == 2 ? std::nullopt : std::optional(gsi));
  }
  EXPECT_EQ(pc_irq_routes().size(), 16U + 23U);
}

}  // namespace
}  // namespace vmctl
