// SPDX-License-Identifier: GPL-2.0
#include "machine/platform.hpp"

#include <algorithm>

#include "dev/acpi_pm.hpp"
#include "dev/reset.hpp"
#include "dev/rtc.hpp"
#include "machine/layout.hpp"

namespace vmctl {
namespace {

firmware::Platform::Pci describe_pci() {
  using namespace layout;
  firmware::Platform::Pci pci{.io = kPciPorts,
                              .memory = static_cast<std::uint32_t>(kPciMemory.base),
                              .memory_size = static_cast<std::uint32_t>(kPciMemory.size),
                              .routes = {}};
  constexpr std::uint8_t kSlots = 32;  // the host bridge is slot 0
  constexpr std::uint8_t kPins = 4;
  for (std::uint8_t slot = 1; slot < kSlots; ++slot)
    for (std::uint8_t pin = 0; pin < kPins; ++pin)
      pci.routes.push_back({.slot = slot,
                            .pin = pin,
                            .gsi = static_cast<std::uint8_t>(pci_gsi(slot, pin)),
                            .irq = static_cast<std::uint8_t>(pci_irq(slot, pin))});
  return pci;
}

}  // namespace

firmware::Platform describe_platform(const DevicesConfig& devices, std::uint32_t cpus,
                                     const Cpuid& cpuid) {
  using namespace layout;
  constexpr std::uint32_t kFeatures = 1;
  firmware::Platform platform{
      .cpus = cpus,
      .apics = {},
      .pm1_event = static_cast<std::uint16_t>(kPm1Event.base),
      .pm1_control = static_cast<std::uint16_t>(kPm1Control.base),
      .pm_timer = static_cast<std::uint16_t>(kPmTimer.base),
      .soft_off = AcpiPm::kSoftOff,
      .sci = kSciIrq,
      .reset_port = static_cast<std::uint16_t>(kConfigAddress.base + 1),
      .reset_value = ResetControl::kReset,
      .cmos_century = Rtc::kCenturyIndex,
      .serial = {{.port = static_cast<std::uint16_t>(kCom1.base), .irq = kCom1Irq}},
      .pci = describe_pci()};
  for (const kvm_cpuid_entry2& entry : cpuid)
    if (entry.function == kFeatures) {
      platform.cpu_signature = entry.eax;
      platform.cpu_features = entry.edx;
    }
  if (devices.com2.kind != ChannelSpec::Kind::none)
    platform.serial.push_back({.port = static_cast<std::uint16_t>(kCom2.base), .irq = kCom2Irq});
  if (devices.irqchip == Irqchip::kernel) {
    platform.apics = {.local = GuestAddr{kLocalApic.base}, .io = GuestAddr{kIoApic.base}};
    platform.pit = true;
  }
  return platform;
}

Result<> write_firmware(const GuestMemory& memory, const firmware::Firmware& firmware) {
  for (const firmware::Block& block : firmware.blocks) {
    const auto room = TRY(memory.span(block.gpa, block.bytes.size()));
    std::copy(block.bytes.begin(), block.bytes.end(), room.begin());
  }
  return {};
}

}  // namespace vmctl
