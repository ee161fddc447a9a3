// SPDX-License-Identifier: GPL-2.0
// The machine's map: every address and port that is somebody's, in one place.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/guest_addr.hpp"
#include "dev/acpi_pm.hpp"
#include "dev/debug_exit.hpp"
#include "dev/serial.hpp"
#include "firmware/firmware.hpp"
#include "load/request.hpp"

namespace vmctl::layout {

struct Range {
  std::string_view name;
  std::uint64_t base;
  std::uint64_t size;
};

template <std::size_t N>
consteval bool disjoint(const std::array<Range, N>& map) {
  for (std::size_t i = 0; i < N; ++i) {
    if (map[i].size == 0 || map[i].base + map[i].size < map[i].base) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (map[i].base < map[j].base + map[j].size && map[j].base < map[i].base + map[i].size)
        return false;
  }
  return true;
}

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr std::uint64_t kPageSize = 4 * kKiB;
// The most that one memory slot of KVM's holds (KVM_MEM_MAX_NR_PAGES).
inline constexpr std::uint64_t kSlotMax = ((1ULL << 31) - 1) * kPageSize;

// Guest physical addresses. Memory from 0 up to 3 GiB, the rest of it from 4 GiB on; what lies
// between is for devices and for KVM's own pages.
inline constexpr Range kLowMemory{"memory below 4 GiB", 0, 3 * kGiB};
inline constexpr Range kPciMemory{"PCI memory", 3 * kGiB, 512 * kMiB};
inline constexpr Range kIoApic{"IOAPIC", 0xfec00000, kPageSize};
inline constexpr Range kLocalApic{"local APICs", 0xfee00000, kPageSize};
inline constexpr Range kIdentityMap{"KVM's identity map", 0xfffbc000, kPageSize};
inline constexpr Range kTss{"KVM's task state", 0xfffbd000, 3 * kPageSize};
inline constexpr Range kHighMemory{"memory above 4 GiB", 4 * kGiB, kSlotMax};

// Within low memory: what a PC's firmware keeps for itself. Its tables begin with ACPI's root
// pointer (ACPI 6.5, 5.2.5.1).
inline constexpr Range kEbda{"extended BIOS data area", 0x9fc00, kKiB};
inline constexpr Range kFirmware{"firmware tables", firmware::kArea.value,
                                 firmware::kAreaEnd.value - firmware::kArea.value};
inline constexpr GuestAddr kRsdp{kFirmware.base};
static_assert(disjoint(std::array{kEbda, kFirmware}));

inline constexpr std::array kMemoryMap{kLowMemory,   kPciMemory, kIoApic,    kLocalApic,
                                       kIdentityMap, kTss,       kHighMemory};
static_assert(disjoint(kMemoryMap));

// Ports, where a PC has them. ACPI's hardware has no fixed place; its tables tell it.
inline constexpr Range kPicMaster{"8259A", 0x20, 2};
inline constexpr Range kI8042Data{"i8042 data", 0x60, 1};
inline constexpr Range kI8042Command{"i8042 command", 0x64, 1};
inline constexpr Range kRtc{"RTC", 0x70, 2};
inline constexpr Range kPost{"POST", 0x80, 1};
inline constexpr Range kSystemControlA{"system control A", 0x92, 1};
inline constexpr Range kPicSlave{"second 8259A", 0xa0, 2};
inline constexpr Range kDebugConsole{"debug console", 0xe9, 1};
inline constexpr Range kDebugExit{"debug-exit", 0xf4, DebugExit::kSize};
inline constexpr Range kCom2{"COM2", 0x2f8, Serial::kSize};
inline constexpr Range kCom1{"COM1", 0x3f8, Serial::kSize};
inline constexpr Range kElcr{"ELCR", 0x4d0, 2};
inline constexpr Range kPm1Event{"ACPI PM1 events", 0x600, AcpiPm::kEventSize};
inline constexpr Range kPm1Control{"ACPI PM1 control", 0x604, AcpiPm::kControlSize};
inline constexpr Range kPmTimer{"PM timer", 0x608, 4};
// With the reset control register in it.
inline constexpr Range kConfigAddress{"PCI configuration address", 0xcf8, 4};
inline constexpr Range kConfigData{"PCI configuration data", 0xcfc, 4};

inline constexpr std::array kPortMap{
    kPicMaster, kI8042Data,  kI8042Command, kRtc,           kPost,      kSystemControlA,
    kPicSlave,  kElcr,       kDebugConsole, kDebugExit,     kCom1,      kCom2,
    kPm1Event,  kPm1Control, kPmTimer,      kConfigAddress, kConfigData};
static_assert(disjoint(kPortMap));

// Ports from here on are PCI's.
inline constexpr std::uint16_t kPciPorts = 0x1000;

// Interrupt lines, as a PC has them.
inline constexpr unsigned kCom2Irq = 3;
inline constexpr unsigned kCom1Irq = 4;
inline constexpr unsigned kRtcIrq = 8;
inline constexpr unsigned kSciIrq = 9;

// Where a PCI slot's pin (0: INTA) leads to: a pin of the IOAPIC that no ISA line has, or a line of
// the 8259As for who uses those alone. Neighbours take turns, as on a real board.
inline constexpr unsigned pci_gsi(unsigned slot, unsigned pin) {
  return 16 + (slot + pin) % 8;
}
inline constexpr unsigned pci_irq(unsigned slot, unsigned pin) {
  return 10 + (slot + pin) % 2;
}

// What --mem may say.
inline constexpr std::uint64_t kMemoryDefault = 64 * kMiB;         // flat images
inline constexpr std::uint64_t kMemoryDefaultKernel = 512 * kMiB;  // all others
inline constexpr std::uint64_t kMemoryMax = kLowMemory.size + kHighMemory.size;

// What `memory` bytes of memory are for: where a guest may lie, and what firmware keeps. Between
// 640 KiB and the tables a PC has its video memory and adapters: nobody's here.
std::vector<MemoryMapEntry> memory_map(std::uint64_t memory);

}  // namespace vmctl::layout
