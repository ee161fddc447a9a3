// SPDX-License-Identifier: GPL-2.0
#include "load/pvh.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "load/boot_files.hpp"
#include "load/boot_tables.hpp"
#include "load/byte_writer.hpp"
#include "load/elf_load.hpp"
#include "load/linux_elf.hpp"

namespace vmctl {
namespace {

constexpr std::string_view kXen = "Xen";
constexpr std::uint32_t kPhys32Entry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::uint32_t kMagic = 0x336ec578;

struct StartInfo {  // hvm_start_info
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t flags;
  std::uint32_t nr_modules;
  std::uint64_t modlist_paddr;
  std::uint64_t cmdline_paddr;
  std::uint64_t rsdp_paddr;
  std::uint64_t memmap_paddr;
  std::uint32_t memmap_entries;
  std::uint32_t reserved;
};
static_assert(sizeof(StartInfo) == 56);

struct Module {  // hvm_modlist_entry
  std::uint64_t paddr;
  std::uint64_t size;
  std::uint64_t cmdline_paddr;
  std::uint64_t reserved;
};

struct MapEntry {  // hvm_memmap_table_entry
  std::uint64_t addr;
  std::uint64_t size;
  std::uint32_t type;
  std::uint32_t reserved;
};

Result<GuestAddr> entry_of(const Source& image, const ElfFile& elf, const ElfNote& note) {
  if (note.descriptor.size() != 4 && note.descriptor.size() != 8)
    return reject(image, {.field = "XEN_ELFNOTE_PHYS32_ENTRY",
                          .offset = note.at,
                          .found = fmt::format("{} bytes", note.descriptor.size()),
                          .allowed = "4 or 8"});
  const std::uint64_t entry = little_endian(note.descriptor);
  if (entry > 0xffffffff || !elf_holds(elf, entry))
    return reject(image, {.field = "XEN_ELFNOTE_PHYS32_ENTRY",
                          .offset = note.at,
                          .found = fmt::format("{:#x}", entry),
                          .allowed = "an address below 4 GiB that a segment is loaded to"});
  return GuestAddr{entry};
}

Result<> add_modules(LoadPlan& plan, Room& room, const BootRequest& request, StartInfo& info) {
  const auto files = TRY(add_files(plan, room, request, after_image(room)));
  if (files.empty()) return {};
  ByteWriter list;
  for (const PlacedFile& file : files) {
    const GuestAddr text = TRY(add_text(plan, room, "module's string", file.text));
    list.put(Module{
        .paddr = file.gpa.value, .size = file.size, .cmdline_paddr = text.value, .reserved = 0});
  }
  info.nr_modules = static_cast<std::uint32_t>(files.size());
  info.modlist_paddr = TRY(add_block(plan, room, "module list", list.bytes())).value;
  return {};
}

}  // namespace

const ElfNote* find_pvh_note(const std::vector<ElfNote>& notes) {
  const auto found = std::find_if(notes.begin(), notes.end(), [](const ElfNote& note) {
    return note.name == kXen && note.type == kPhys32Entry;
  });
  return found == notes.end() ? nullptr : &*found;
}

Result<LoadPlan> plan_pvh(const BootRequest& request, const Source& image) {
  const ElfFile elf = TRY(read_elf(image));
  const auto notes = TRY(read_notes(image, elf));
  const ElfNote* note = find_pvh_note(notes);
  if (note == nullptr)
    return reject(image, {.field = "PT_NOTE segments",
                          .offset = elf.segments.front().header_at,
                          .found = "no note XEN_ELFNOTE_PHYS32_ENTRY",
                          .allowed = "one, of the name Xen and type 18",
                          .advice = "Linux has it with CONFIG_PVH"});
  const bool linux_kernel = is_linux(elf, notes);
  if (linux_kernel) TRY(check_linux_by_pvh(request));

  LoadPlan plan{.format = Format::pvh};
  Room room = request.room();
  TRY(add_elf_segments(plan, room, image, elf));
  plan.entry.mode = EntryMode::protected32;
  plan.entry.address = TRY(entry_of(image, elf, *note));
  TRY(add_gdt(plan, room));

  StartInfo info{.magic = kMagic, .version = 1, .rsdp_paddr = request.rsdp.value};
  info.cmdline_paddr = TRY(add_text(plan, room, "command line", request.command_line)).value;
  TRY(add_modules(plan, room, request, info));
  ByteWriter map;
  for (const MemoryMapEntry& entry : request.memory_map)
    map.put(MapEntry{.addr = entry.base.value,
                     .size = entry.size,
                     .type = static_cast<std::uint32_t>(entry.type),
                     .reserved = 0});
  info.memmap_entries = static_cast<std::uint32_t>(request.memory_map.size());
  info.memmap_paddr = TRY(add_block(plan, room, "memory map", map.bytes())).value;
  ByteWriter bytes;
  bytes.put(info);
  plan.entry.rbx = TRY(add_block(plan, room, "hvm_start_info", bytes.bytes())).value;
  plan.notes.push_back(fmt::format("PVH entry {:#x} in a note{}", plan.entry.address.value,
                                   linux_kernel ? ", Linux" : ""));
  return plan;
}

}  // namespace vmctl
