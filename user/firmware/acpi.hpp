// SPDX-License-Identifier: GPL-2.0
// ACPI's tables (ACPI 6.5, 5.2), each whole and with its checksum right. Addresses are guest
// physical ones below 4 GiB.
#pragma once

#include <span>

#include "base/guest_addr.hpp"
#include "firmware/platform.hpp"
#include "firmware/writer.hpp"

namespace vmctl::firmware {

Bytes rsdp(GuestAddr rsdt, GuestAddr xsdt);     // 5.2.5.3, revision 2
Bytes rsdt(std::span<const GuestAddr> tables);  // 5.2.7
Bytes xsdt(std::span<const GuestAddr> tables);  // 5.2.8
Bytes facs();                                   // 5.2.10; at a multiple of 64
Bytes dsdt(const Platform& platform);           // 5.2.11.1
Bytes waet();                                   // what need not be worked around
Bytes fadt(const Platform& platform, GuestAddr facs, GuestAddr dsdt);  // 5.2.9, revision 6.5
// 5.2.12. APIC ids from 255 on have entries of the x2APIC. `platform` has APICs.
Bytes madt(const Platform& platform);

}  // namespace vmctl::firmware
