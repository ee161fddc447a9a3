// SPDX-License-Identifier: GPL-2.0
// The tables that a processor needs in memory before it can start in protected or long mode.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/room.hpp"

namespace vmctl {

// Flat segments (Intel SDM 3A, 3.4.5): code at selector 0x10, data at 0x18, as boot.rst names them
// __BOOT_CS and __BOOT_DS. Below 1 MiB. Sets entry.gdt.
inline constexpr std::uint16_t kCodeSelector = 0x10;
inline constexpr std::uint16_t kDataSelector = 0x18;
Result<> add_gdt(LoadPlan& plan, Room& room);

// The first 4 GiB mapped one to one in 2 MiB pages (Intel SDM 3A, 4.5). Below 1 MiB where there is
// room, else anywhere below 4 GiB. Sets entry.page_table.
Result<> add_identity_map(LoadPlan& plan, Room& room);

}  // namespace vmctl
