// SPDX-License-Identifier: GPL-2.0
#include "load/elf_sections.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <type_traits>

namespace vmctl {
namespace {

constexpr GuestAddr k4GiB{0x100000000};
constexpr std::uint64_t kAlign = 16;

// Fills in sh_addr of one header, and adds what it names to the plan.
template <class Header>
void place_section(LoadPlan& plan, Room& room, const Source& source, Header& section,
                   std::size_t index, GuestAddr low, std::uint64_t shift) {
  if ((section.sh_flags & SHF_ALLOC) != 0) {
    section.sh_addr = static_cast<decltype(section.sh_addr)>(section.sh_addr + shift);
    return;
  }
  if (section.sh_addr != 0 || section.sh_size == 0) return;
  if (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_STRTAB) return;
  if (!check_within(source, "section", section.sh_offset, section.sh_size)) return;
  const std::string name = fmt::format("section {}", index);
  const auto gpa = room.place(name, section.sh_size, kAlign, low, k4GiB);
  if (!gpa) return;
  section.sh_addr = static_cast<decltype(section.sh_addr)>(gpa->value);
  plan.segments.push_back({.offset = section.sh_offset,
                           .length = section.sh_size,
                           .gpa = *gpa,
                           .memory_length = section.sh_size,
                           .name = name});
}

template <class Header>
void place_sections(LoadPlan& plan, Room& room, const Source& source, ElfSections& sections,
                    GuestAddr low, std::uint64_t shift) {
  for (std::size_t i = 0; i < sections.count; ++i) {
    Header section;
    std::uint8_t* at = sections.table.data() + i * sizeof section;
    std::memcpy(&section, at, sizeof section);
    place_section(plan, room, source, section, i, low, shift);
    std::memcpy(at, &section, sizeof section);
  }
}

}  // namespace

std::optional<ElfSections> add_elf_sections(LoadPlan& plan, Room& room, const Source& source,
                                            const ElfFile& elf, GuestAddr low,
                                            std::uint64_t shift) {
  const bool wide = elf.bits == ElfClass::elf64;
  const std::size_t size = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
  if (elf.section_count == 0 || elf.section_count > kElfSectionsMax) return std::nullopt;
  if (elf.section_size != size || elf.section_names >= elf.section_count) return std::nullopt;
  const std::uint64_t all = elf.section_count * size;
  auto table = read_bytes(source, "section headers", elf.section_offset, all, all);
  if (!table) return std::nullopt;
  ElfSections sections{.count = elf.section_count,
                       .size = static_cast<std::uint32_t>(size),
                       .names = elf.section_names,
                       .table = std::move(*table)};
  if (wide)
    place_sections<Elf64_Shdr>(plan, room, source, sections, low, shift);
  else
    place_sections<Elf32_Shdr>(plan, room, source, sections, low, shift);
  return sections;
}

}  // namespace vmctl
