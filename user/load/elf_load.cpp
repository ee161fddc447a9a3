// SPDX-License-Identifier: GPL-2.0
#include "load/elf_load.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace vmctl {
namespace {

bool loads(const ElfSegment& segment) {
  return segment.type == PT_LOAD && segment.memsz > 0;
}

}  // namespace

Failure reject_place(const Source& source, std::string_view field, std::uint64_t offset,
                     Error error) {
  error.where = fmt::format("{}, {} at offset {:#x}{}{}", source.path(), field, offset,
                            error.where.empty() ? "" : ": ", error.where);
  return fail(std::move(error));
}

Result<> add_elf_segments(LoadPlan& plan, Room& room, const Source& source, const ElfFile& elf,
                          std::uint64_t shift) {
  std::size_t added = 0;
  for (const ElfSegment& segment : elf.segments) {
    if (!loads(segment)) continue;
    const GuestAddr gpa{segment.paddr + shift};
    if (auto taken = room.take("segment " + segment.name, gpa, segment.memsz); !taken)
      return reject_place(source, segment.name + ", p_paddr and p_memsz", segment.header_at,
                          std::move(taken.error()));
    plan.segments.push_back({.offset = segment.offset,
                             .length = segment.filesz,
                             .gpa = gpa,
                             .memory_length = segment.memsz,
                             .name = segment.name});
    ++added;
  }
  if (added == 0)
    return reject(source, {.field = "program headers",
                           .offset = elf.segments.front().header_at,
                           .found = "no PT_LOAD with p_memsz more than 0",
                           .allowed = "at least one",
                           .advice = "there is nothing in it to run"});
  return {};
}

Result<GuestAddr> elf_entry(const Source& source, const ElfFile& elf, EntryIn where) {
  std::string allowed;
  for (const ElfSegment& segment : elf.segments) {
    if (!loads(segment)) continue;
    if (where == EntryIn::executable && (segment.flags & PF_X) == 0) continue;
    if (elf.entry >= segment.vaddr && elf.entry - segment.vaddr < segment.memsz)
      return GuestAddr{elf.entry - segment.vaddr + segment.paddr};
    allowed += fmt::format("{}{:#x} to {:#x}", allowed.empty() ? "" : ", ", segment.vaddr,
                           segment.vaddr + segment.memsz - 1);
  }
  const std::string kind = where == EntryIn::executable ? "executable segment" : "segment";
  return reject(
      source,
      {.field = "e_entry",
       .offset = kElfEntryAt,
       .found = fmt::format("{:#x}, in no {}", elf.entry, kind),
       .allowed = allowed.empty() ? fmt::format("in an {}, but there is none", kind) : allowed});
}

Result<> check_entry_is_mapped(const Source& source, const ElfFile& elf, GuestAddr entry) {
  constexpr std::uint64_t k4GiB = 0x100000000;
  if (entry.value < k4GiB) return {};
  return reject(source, {.field = "e_entry",
                         .offset = kElfEntryAt,
                         .found = fmt::format("{:#x}, at gpa {:#x}", elf.entry, entry.value),
                         .allowed = "below 4 GiB, where memory is mapped at the start"});
}

bool elf_holds(const ElfFile& elf, std::uint64_t physical) {
  return std::any_of(elf.segments.begin(), elf.segments.end(), [&](const ElfSegment& segment) {
    return loads(segment) && physical >= segment.paddr && physical - segment.paddr < segment.memsz;
  });
}

ElfExtent elf_extent(const ElfFile& elf) {
  ElfExtent extent{std::numeric_limits<std::uint64_t>::max(), 0};
  for (const ElfSegment& segment : elf.segments) {
    if (!loads(segment)) continue;
    extent.first = std::min(extent.first, segment.paddr);
    extent.end = std::max(extent.end, segment.paddr + segment.memsz);
  }
  if (extent.end == 0) extent.first = 0;
  return extent;
}

}  // namespace vmctl
