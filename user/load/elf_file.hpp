// SPDX-License-Identifier: GPL-2.0
// The headers of an x86 ELF executable, read and checked once (System V gABI 4.1, chapters 4 and 5;
// the i386 and x86-64 psABIs).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/guest_addr.hpp"
#include "base/result.hpp"
#include "load/source.hpp"

namespace vmctl {

enum class ElfClass : std::uint8_t { elf32, elf64 };

// A program header: what it names lies in the file, and its memory does not wrap.
struct ElfSegment {
  std::string name;         // "program header 2"
  std::uint64_t header_at;  // where in the file it stands itself
  std::uint32_t type;       // PT_LOAD, PT_NOTE, ... of <elf.h>
  std::uint32_t flags;      // PF_R, PF_W, PF_X
  std::uint64_t offset;
  std::uint64_t vaddr;
  std::uint64_t paddr;
  std::uint64_t filesz;  // at most memsz for PT_LOAD
  std::uint64_t memsz;
  std::uint64_t align;
};

struct ElfFile {
  ElfClass bits;
  std::uint64_t entry;  // e_entry, not yet checked
  std::vector<ElfSegment> segments;
  // As they stand there: for symbols, which a kernel can do without. 0 sections: none.
  std::uint64_t section_offset;
  std::uint16_t section_count;
  std::uint16_t section_size;
  std::uint16_t section_names;
};

// More program headers than any linker makes.
inline constexpr std::uint16_t kElfSegmentsMax = 128;
// Where e_entry stands, in both classes.
inline constexpr std::uint64_t kElfEntryAt = 24;

// Whether it begins as an ELF file does.
bool has_elf_magic(const Source& source);

// bad_image: what is not a static, little-endian executable for this processor, with the field
// that says so.
Result<ElfFile> read_elf(const Source& source);

// A note of a PT_NOTE segment.
struct ElfNote {
  std::string name;  // without the NUL: "Xen"
  std::uint32_t type;
  std::uint64_t at;  // of the descriptor in the file
  std::vector<std::uint8_t> descriptor;
};
inline constexpr std::uint64_t kElfNotesMax = 64 << 10;

// bad_image: a PT_NOTE segment of more than kElfNotesMax bytes, a note that is longer than that.
Result<std::vector<ElfNote>> read_notes(const Source& source, const ElfFile& elf);

}  // namespace vmctl
