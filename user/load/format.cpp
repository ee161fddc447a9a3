// SPDX-License-Identifier: GPL-2.0
#include "load/format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "load/elf_file.hpp"
#include "load/linux_elf.hpp"
#include "load/multiboot1.hpp"
#include "load/multiboot2.hpp"
#include "load/pvh.hpp"

namespace vmctl {
namespace {

struct Row {
  Format format;
  std::string_view name;
};
constexpr std::array kFormats{
    Row{Format::flat, "flat"},
    Row{Format::elf, "elf"},
    Row{Format::multiboot1, "multiboot1"},
    Row{Format::multiboot2, "multiboot2"},
    Row{Format::pvh, "pvh"},
    Row{Format::bzimage, "bzimage"},
    Row{Format::vmlinux, "vmlinux"},
};

bool is_bzimage(const Source& image) {
  struct [[gnu::packed]] Mark {  // boot.rst, "The Real-Mode Kernel Header"
    std::uint16_t boot_flag;
    std::uint16_t jump;
    std::array<char, 4> header;
  };
  const auto mark = read_struct<Mark>(image, "boot_flag", 0x1fe);
  return mark && mark->boot_flag == 0xaa55 && mark->header == std::array{'H', 'd', 'r', 'S'};
}

}  // namespace

std::string_view format_name(Format format) {
  for (const Row& row : kFormats)
    if (row.format == format) return row.name;
  return "unknown";
}

Result<Format> parse_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Row& row : kFormats) {
    if (row.name == name) return row.format;
    names.push_back(row.name);
  }
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", escaped(name)),
               .why = "there is no such format",
               .advice = fmt::format("there are: {}", fmt::join(names, ", "))});
}

Result<Format> identify(const Source& image) {
  if (is_bzimage(image)) return Format::bzimage;
  if (TRY(find_multiboot2(image))) return Format::multiboot2;
  if (TRY(find_multiboot1(image))) return Format::multiboot1;
  if (!has_elf_magic(image)) return Format::flat;
  const ElfFile elf = TRY(read_elf(image));
  const auto notes = TRY(read_notes(image, elf));
  if (find_pvh_note(notes) != nullptr) return Format::pvh;
  if (is_linux(elf, notes)) return Format::vmlinux;
  return Format::elf;
}

}  // namespace vmctl
