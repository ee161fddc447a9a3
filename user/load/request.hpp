// SPDX-License-Identifier: GPL-2.0
// What a planner is told: the machine's memory, and what the guest is to be given.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/guest_addr.hpp"
#include "load/flat.hpp"
#include "load/plan.hpp"
#include "load/room.hpp"
#include "load/source.hpp"

namespace vmctl {

// Types of ACPI 6.5, table 15.14, as INT 15h E820 and all boot protocols after it have them.
enum class MemoryType : std::uint32_t { usable = 1, reserved = 2, acpi = 3, nvs = 4 };

struct MemoryMapEntry {
  GuestAddr base;
  std::uint64_t size;
  MemoryType type;
};

// Of --initrd FILE[,ARGUMENTS]: an initrd for Linux, a module for multiboot and PVH.
struct BootFile {
  const Source* source;   // outlives the plan
  std::string arguments;  // a module's own command line
};

using RngSeed = std::array<std::uint8_t, 32>;

struct BootRequest {
  FlatRequest flat;
  std::optional<Format> format;  // by force; nothing: as the content says
  std::string command_line;      // without a NUL
  std::vector<BootFile> files;
  std::vector<MemoryMapEntry> memory_map;  // by address; usable entries are where a guest may lie
  GuestAddr rsdp;                          // ACPI's root pointer; 0: none
  std::vector<std::uint8_t> rsdp_bytes = {};  // what lies there
  // Of a good source, for Linux to have entropy early (SETUP_RNG_SEED); nothing: it is given none.
  std::optional<RngSeed> rng_seed = {};
  std::uint64_t memory_end = 0;  // of what begins at 0, reserved or not: for flat images

  // What the map calls usable.
  Room room() const {
    std::vector<Room::Range> usable;
    for (const MemoryMapEntry& entry : memory_map)
      if (entry.type == MemoryType::usable) usable.push_back({entry.base, entry.size});
    return Room(usable);
  }
};

}  // namespace vmctl
