// SPDX-License-Identifier: GPL-2.0
#include "load/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>

namespace vmctl {
namespace {

static_assert(offsetof(Elf32_Ehdr, e_entry) == kElfEntryAt);
static_assert(offsetof(Elf64_Ehdr, e_entry) == kElfEntryAt);

struct Class32 {
  using Header = Elf32_Ehdr;
  using Program = Elf32_Phdr;
  static constexpr ElfClass kClass = ElfClass::elf32;
  static constexpr std::uint16_t kMachine = EM_386;
  static constexpr std::string_view kMachineName = "3 (EM_386) in a 32-bit file";
};
struct Class64 {
  using Header = Elf64_Ehdr;
  using Program = Elf64_Phdr;
  static constexpr ElfClass kClass = ElfClass::elf64;
  static constexpr std::uint16_t kMachine = EM_X86_64;
  static constexpr std::string_view kMachineName = "62 (EM_X86_64) in a 64-bit file";
};

using Identity = std::array<std::uint8_t, EI_NIDENT>;

std::string hex_number(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

Result<> check_type(const Source& source, std::uint16_t type) {
  std::string what;
  std::string advice;
  switch (type) {
    case ET_EXEC:
      return {};
    case ET_DYN:
      what = "3 (ET_DYN, position-independent)";
      advice = "link it for fixed addresses, with -static -no-pie";
      break;
    case ET_REL:
      what = "1 (ET_REL, an object file)";
      advice = "link it first";
      break;
    case ET_CORE:
      what = "4 (ET_CORE, a core dump)";
      break;
    default:
      what = fmt::format("{}", type);
  }
  return reject(source, {.field = "e_type",
                         .offset = offsetof(Elf64_Ehdr, e_type),
                         .found = what,
                         .allowed = "2 (ET_EXEC)",
                         .advice = advice});
}

Result<> check_segment(const Source& source, const ElfSegment& segment) {
  if (segment.type == PT_INTERP)
    return reject(source, {.field = segment.name + ", p_type",
                           .offset = segment.header_at,
                           .found = "3 (PT_INTERP): it wants a dynamic linker",
                           .allowed = "static executables",
                           .advice = "link it with -static -no-pie"});
  if (segment.type != PT_LOAD && segment.type != PT_NOTE) return {};
  if (auto within = check_within(source, segment.name + ", p_offset and p_filesz", segment.offset,
                                 segment.filesz);
      !within)
    return within;
  if (segment.type != PT_LOAD) return {};
  if (segment.filesz > segment.memsz)
    return reject(source, {.field = segment.name + ", p_filesz",
                           .offset = segment.header_at,
                           .found = hex_number(segment.filesz),
                           .allowed = fmt::format("at most p_memsz, {:#x}", segment.memsz)});
  const auto check_wrap = [&](std::string_view field, std::uint64_t address) -> Result<> {
    if (segment.memsz <= std::numeric_limits<std::uint64_t>::max() - address) return {};
    return reject(source,
                  {.field = fmt::format("{}, {} and p_memsz", segment.name, field),
                   .offset = segment.header_at,
                   .found = fmt::format("{:#x} and {:#x}, which wrap", address, segment.memsz),
                   .allowed = "a sum of 64 bits"});
  };
  TRY(check_wrap("p_paddr", segment.paddr));
  return check_wrap("p_vaddr", segment.vaddr);
}

template <class Class>
Result<ElfFile> read_class(const Source& source) {
  using Header = typename Class::Header;
  using Program = typename Class::Program;
  const Header header = TRY(read_struct<Header>(source, "ELF header", 0));
  if (header.e_machine != Class::kMachine)
    return reject(source, {.field = "e_machine",
                           .offset = offsetof(Header, e_machine),
                           .found = fmt::format("{}", header.e_machine),
                           .allowed = std::string(Class::kMachineName),
                           .advice = "it was built for another processor"});
  TRY(check_type(source, header.e_type));
  if (header.e_phnum == 0 || header.e_phnum > kElfSegmentsMax)
    return reject(source, {.field = "e_phnum",
                           .offset = offsetof(Header, e_phnum),
                           .found = header.e_phnum == PN_XNUM ? "0xffff (PN_XNUM)"
                                                              : fmt::format("{}", header.e_phnum),
                           .allowed = fmt::format("1 to {}", kElfSegmentsMax)});
  if (header.e_phentsize != sizeof(Program))
    return reject(source, {.field = "e_phentsize",
                           .offset = offsetof(Header, e_phentsize),
                           .found = hex_number(header.e_phentsize),
                           .allowed = hex_number(sizeof(Program))});
  TRY(check_within(source, "program headers", header.e_phoff,
                   std::uint64_t{header.e_phnum} * sizeof(Program)));
  ElfFile elf{.bits = Class::kClass,
              .entry = header.e_entry,
              .segments = {},
              .section_offset = header.e_shoff,
              .section_count = header.e_shnum,
              .section_size = header.e_shentsize,
              .section_names = header.e_shstrndx};
  elf.segments.reserve(header.e_phnum);
  for (std::uint16_t i = 0; i < header.e_phnum; ++i) {
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof(Program);
    const std::string name = fmt::format("program header {}", i);
    const auto program = TRY(read_struct<Program>(source, name, at));
    elf.segments.push_back({.name = name,
                            .header_at = at,
                            .type = program.p_type,
                            .flags = program.p_flags,
                            .offset = program.p_offset,
                            .vaddr = program.p_vaddr,
                            .paddr = program.p_paddr,
                            .filesz = program.p_filesz,
                            .memsz = program.p_memsz,
                            .align = program.p_align});
    TRY(check_segment(source, elf.segments.back()));
  }
  return elf;
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

// All notes of one segment. The sizes are of 32 bits, and do not wrap in 64.
Result<> read_segment_notes(const Source& source, const ElfSegment& segment,
                            std::vector<ElfNote>& notes) {
  const std::string field = segment.name + ", notes";
  const auto bytes = TRY(read_bytes(source, field, segment.offset, segment.filesz, kElfNotesMax));
  // gABI: words of 4 bytes; but 8 where the segment says so, as for GNU properties.
  const std::uint64_t align = segment.align == 8 ? 8 : 4;
  std::uint64_t at = 0;
  while (bytes.size() - at >= sizeof(Elf32_Nhdr)) {
    Elf32_Nhdr header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    const std::uint64_t name_at = at + sizeof header;
    const std::uint64_t descriptor_at = round_up(name_at + header.n_namesz, align);
    const std::uint64_t end = descriptor_at + header.n_descsz;
    if (name_at + header.n_namesz > bytes.size() || end > bytes.size())
      return reject(source, {.field = segment.name + ", note",
                             .offset = segment.offset + at,
                             .found = fmt::format("n_namesz {:#x}, n_descsz {:#x}", header.n_namesz,
                                                  header.n_descsz),
                             .allowed = fmt::format("{:#x} bytes with both", bytes.size() - at)});
    const auto* text = reinterpret_cast<const char*>(bytes.data() + name_at);
    std::string name(text, header.n_namesz);
    name.resize(std::min(name.find('\0'), name.size()));
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(descriptor_at);
    notes.push_back({.name = std::move(name),
                     .type = header.n_type,
                     .at = segment.offset + descriptor_at,
                     .descriptor = {first, first + header.n_descsz}});
    at = std::min<std::uint64_t>(round_up(end, align), bytes.size());
  }
  return {};
}

}  // namespace

bool has_elf_magic(const Source& source) {
  const auto magic = read_struct<std::array<char, SELFMAG>>(source, "e_ident", 0);
  return magic && std::equal(magic->begin(), magic->end(), ELFMAG);
}

Result<ElfFile> read_elf(const Source& source) {
  const auto identity = TRY(read_struct<Identity>(source, "e_ident", 0));
  if (!has_elf_magic(source))
    return reject(source, {.field = "e_ident",
                           .offset = 0,
                           .found = fmt::format("{:#04x} {:#04x} {:#04x} {:#04x}", identity[0],
                                                identity[1], identity[2], identity[3]),
                           .allowed = "0x7f 'E' 'L' 'F'"});
  const auto check = [&](const char* field, std::size_t at, std::uint8_t wanted,
                         const char* name) -> Result<> {
    if (identity[at] == wanted) return {};
    return reject(
        source,
        {.field = field, .offset = at, .found = fmt::format("{}", identity[at]), .allowed = name});
  };
  TRY(check("EI_DATA", EI_DATA, ELFDATA2LSB, "1 (little-endian)"));
  TRY(check("EI_VERSION", EI_VERSION, EV_CURRENT, "1"));
  switch (identity[EI_CLASS]) {
    case ELFCLASS32:
      return read_class<Class32>(source);
    case ELFCLASS64:
      return read_class<Class64>(source);
    default:
      return reject(source, {.field = "EI_CLASS",
                             .offset = EI_CLASS,
                             .found = fmt::format("{}", identity[EI_CLASS]),
                             .allowed = "1 (32 bits) or 2 (64 bits)"});
  }
}

Result<std::vector<ElfNote>> read_notes(const Source& source, const ElfFile& elf) {
  std::vector<ElfNote> notes;
  for (const ElfSegment& segment : elf.segments)
    if (segment.type == PT_NOTE) TRY(read_segment_notes(source, segment, notes));
  return notes;
}

}  // namespace vmctl
