// SPDX-License-Identifier: GPL-2.0
// What an ELF executable puts into memory, for all formats that come in one.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "load/elf_file.hpp"
#include "load/plan.hpp"
#include "load/room.hpp"

namespace vmctl {

// Takes what each PT_LOAD needs at p_paddr, and adds it to the plan; `shift` is added to all
// addresses, modulo 2^64. bad_image: none, or one that is outside of memory or overlaps another.
Result<> add_elf_segments(LoadPlan& plan, Room& room, const Source& source, const ElfFile& elf,
                          std::uint64_t shift = 0);

// Where in memory e_entry is, which is a virtual address: that of a PT_LOAD, with p_vaddr as
// p_paddr. bad_image: outside of all, or of those that may be executed.
enum class EntryIn : std::uint8_t { any, executable };
Result<GuestAddr> elf_entry(const Source& source, const ElfFile& elf, EntryIn where);

// bad_image: at or beyond 4 GiB, where add_identity_map() maps nothing.
Result<> check_entry_is_mapped(const Source& source, const ElfFile& elf, GuestAddr entry);

// Whether a physical address is in memory that a PT_LOAD fills.
bool elf_holds(const ElfFile& elf, std::uint64_t physical);

// From the first to the end of the last byte that the PT_LOADs take; both 0 where there is none.
struct ElfExtent {
  std::uint64_t first;
  std::uint64_t end;
};
ElfExtent elf_extent(const ElfFile& elf);

// The error of Room about something that a field of the file asks for: with that field.
Failure reject_place(const Source& source, std::string_view field, std::uint64_t offset,
                     Error error);

}  // namespace vmctl
