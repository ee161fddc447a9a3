// SPDX-License-Identifier: GPL-2.0
// What firmware tells an operating system about the machine, as far as it cannot find it itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/guest_addr.hpp"

namespace vmctl::firmware {

struct Platform {
  std::uint32_t cpus = 1;  // their APIC ids are 0 to cpus - 1
  // CPUID leaf 1, for the MP table: EAX and EDX.
  std::uint32_t cpu_signature = 0;
  std::uint32_t cpu_features = 0;

  // Without them there is a pair of 8259As alone, and no MADT nor MP table.
  struct Apics {
    GuestAddr local;
    GuestAddr io;  // 24 pins, the first GSI is 0
  };
  std::optional<Apics> apics;

  // ACPI's fixed hardware; ports.
  std::uint16_t pm1_event = 0;
  std::uint16_t pm1_control = 0;
  std::uint16_t pm_timer = 0;
  std::uint8_t soft_off = 0;  // SLP_TYP of S5
  std::uint8_t sci = 9;       // level, active high
  std::uint16_t reset_port = 0;
  std::uint8_t reset_value = 0;
  std::uint8_t cmos_century = 0;  // its index in the CMOS memory

  struct Serial {
    std::uint16_t port;
    std::uint8_t irq;
  };
  std::vector<Serial> serial;
  bool pit = false;

  // Without it there is no PCI.
  struct Pci {
    std::uint16_t io;  // ports from here to 0xffff are the bus's
    std::uint32_t memory;
    std::uint32_t memory_size;
    // Where a pin of a slot leads to: a GSI with the APICs, an IRQ of the 8259As without.
    struct Route {
      std::uint8_t slot;
      std::uint8_t pin;  // 0: INTA
      std::uint8_t gsi;
      std::uint8_t irq;
    };
    std::vector<Route> routes;
  };
  std::optional<Pci> pci;
};

}  // namespace vmctl::firmware
