// SPDX-License-Identifier: GPL-2.0
#include "firmware/dsdt.hpp"

#include <string>

#include "firmware/aml.hpp"

namespace vmctl::firmware {
namespace {

using namespace aml;

Bytes add(Bytes bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

// _PRT (6.2.13) as one package: address, pin, no link device but a number.
Bytes routing(const Platform::Pci& pci, std::uint8_t Platform::Pci::Route::*line) {
  std::vector<Bytes> rows;
  for (const Platform::Pci::Route& route : pci.routes) {
    const std::uint64_t any_function = std::uint64_t{route.slot} << 16 | 0xffff;
    rows.push_back(package(std::vector<Bytes>{integer(any_function), integer(route.pin), integer(0),
                                              integer(route.*line)}));
  }
  return package(rows);
}

Bytes host_bridge(const Platform& platform, const Platform::Pci& pci) {
  using Route = Platform::Pci::Route;
  constexpr std::uint16_t kConfigAddress = 0xcf8;
  Bytes body =
      join({name("_HID", eisa_id("PNP0A03")), name("_UID", integer(0)), name("_BBN", integer(0)),
            name("_CRS", resources({bus_numbers(0, 0), io_ports(kConfigAddress, 8),
                                    io_window(pci.io, 0xffff),
                                    memory_window(pci.memory, pci.memory + pci.memory_size - 1)})),
            name("PRTP", routing(pci, &Route::irq))});
  if (platform.apics)
    body = join({body, name("PRTA", routing(pci, &Route::gsi)),
                 method("_PRT", 0,
                        if_else(name_string("PICM"), return_of(name_string("PRTA")),
                                return_of(name_string("PRTP"))))});
  else
    body = join({body, method("_PRT", 0, return_of(name_string("PRTP")))});
  return device("PCI0", body);
}

// What a PC has at fixed ports.
Bytes legacy(std::string_view path, std::string_view id, unsigned uid, const Bytes& crs) {
  return device(path,
                join({name("_HID", eisa_id(id)), name("_UID", integer(uid)), name("_CRS", crs)}));
}

}  // namespace

Bytes dsdt_body(const Platform& platform) {
  // _S5 (7.4.2): SLP_TYP for PM1a and PM1b, and two that are reserved.
  Bytes root = name("\\_S5", package(std::vector<Bytes>{integer(platform.soft_off), integer(0),
                                                        integer(0), integer(0)}));
  // _PIC (5.8.1): 1 when the operating system uses the APICs.
  if (platform.apics)
    root =
        join({root, name("\\PICM", integer(0)), method("\\_PIC", 1, store(argument(0), "PICM"))});

  Bytes system;
  if (platform.pci) system = add(system, host_bridge(platform, *platform.pci));
  unsigned uid = 0;
  for (const Platform::Serial& serial : platform.serial) {
    ++uid;
    system = add(system, legacy("COM" + std::to_string(uid), "PNP0501", uid,
                                resources({io_ports(serial.port, 8), irq(serial.irq)})));
  }
  system = add(system, legacy("RTC_", "PNP0B00", 0, resources({io_ports(0x70, 2), irq(8)})));
  system =
      add(system,
          legacy("PIC_", "PNP0000", 0,
                 resources({io_ports(0x20, 2), io_ports(0xa0, 2), io_ports(0x4d0, 2), irq(2)})));
  if (platform.pit)
    system = add(system, legacy("PIT_", "PNP0100", 0, resources({io_ports(0x40, 4), irq(0)})));
  return join({root, scope("\\_SB", system)});
}

}  // namespace vmctl::firmware
