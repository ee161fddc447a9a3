// SPDX-License-Identifier: GPL-2.0
// The tables of the MultiProcessor Specification 1.4, for kernels that do without ACPI.
#pragma once

#include "base/guest_addr.hpp"
#include "firmware/platform.hpp"
#include "firmware/writer.hpp"

namespace vmctl::firmware {

// 4.1; at a multiple of 16. Virtual wire mode: there is no IMCR.
Bytes mp_pointer(GuestAddr table);
// 4.2 and 4.3. APIC ids from 255 on have no place in it: processors beyond are left out.
// `platform` has APICs.
Bytes mp_table(const Platform& platform);

}  // namespace vmctl::firmware
