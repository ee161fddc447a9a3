// SPDX-License-Identifier: GPL-2.0
// The machine in ACPI's namespace: the body of the DSDT.
#pragma once

#include "firmware/platform.hpp"
#include "firmware/writer.hpp"

namespace vmctl::firmware {

// \_S5, \_PIC, and under \_SB the host bridge with its windows and interrupt routes, serial ports,
// clock, timer and interrupt controllers (ACPI 6.5, chapters 6 and 7). The power button is fixed
// hardware and has no device.
Bytes dsdt_body(const Platform& platform);

}  // namespace vmctl::firmware
