// SPDX-License-Identifier: GPL-2.0
// All that firmware would have left in memory, each thing with its place: where operating systems
// look for it, in the PC's BIOS area (ACPI 6.5, 5.2.5.1; MultiProcessor Specification 1.4, 4).
#pragma once

#include <string>
#include <vector>

#include "base/guest_addr.hpp"
#include "base/result.hpp"
#include "firmware/platform.hpp"
#include "firmware/writer.hpp"

namespace vmctl::firmware {

// ACPI's root pointer first, what it points to and the other tables after it; from the second half
// on the MP table.
inline constexpr GuestAddr kArea{0xe0000};
inline constexpr GuestAddr kMpArea{0xf0000};
inline constexpr GuestAddr kAreaEnd{0x100000};

struct Block {
  std::string name;  // "RSDP", "FACP", "MP table"
  GuestAddr gpa;
  Bytes bytes;
};

struct Firmware {
  std::vector<Block> blocks;  // by address, all within the area
  GuestAddr rsdp;
};

// The RSDP, which is the same for every platform: for boot protocols that hand on a copy.
Bytes root_pointer();

// usage: more processors than the area has room for.
Result<Firmware> build(const Platform& platform);

}  // namespace vmctl::firmware
