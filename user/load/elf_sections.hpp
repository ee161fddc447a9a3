// SPDX-License-Identifier: GPL-2.0
// Section headers for a kernel that wants to know its own symbols (Multiboot 0.6.96, 3.3;
// Multiboot2 2.0, 3.6.7).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "load/elf_file.hpp"
#include "load/plan.hpp"
#include "load/room.hpp"

namespace vmctl {

struct ElfSections {
  std::uint32_t count;
  std::uint32_t size;   // of one header
  std::uint32_t names;  // index of the section that holds the names
  std::vector<std::uint8_t> table;
};

inline constexpr std::uint16_t kElfSectionsMax = 1024;

// The headers as they stand in the file, but that symbol and string tables, which no segment
// loads, are in memory from `low` on, and sh_addr says where; it is 0 where there is no room, and
// for debug information. Nothing where the file has no headers or unsound ones: a kernel does not
// need them to run.
std::optional<ElfSections> add_elf_sections(LoadPlan& plan, Room& room, const Source& source,
                                            const ElfFile& elf, GuestAddr low,
                                            std::uint64_t shift = 0);

}  // namespace vmctl
