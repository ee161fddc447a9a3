// SPDX-License-Identifier: GPL-2.0
#include "load/multiboot1.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "load/address_fields.hpp"
#include "load/boot_files.hpp"
#include "load/boot_tables.hpp"
#include "load/byte_writer.hpp"
#include "load/elf_file.hpp"
#include "load/elf_load.hpp"
#include "load/elf_sections.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kSearched = 8192;
constexpr std::uint32_t kMagic = 0x1badb002;
constexpr std::uint32_t kLoaderMagic = 0x2badb002;
constexpr std::uint64_t k4GiB = 0x100000000;

// 3.1.1
struct Header {
  std::uint32_t magic;
  std::uint32_t flags;
  std::uint32_t checksum;
};
constexpr std::uint32_t kVideo = 1U << 2;
constexpr std::uint32_t kAddresses = 1U << 16;
constexpr std::uint32_t kRequired = 0xffff;
constexpr std::uint32_t kRequiredKnown = 0x7;

// 3.1.3, behind the header
struct Addresses {
  AddressFields fields;
  std::uint32_t entry_addr;
};
// 3.1.4
constexpr std::uint64_t kVideoAt = 32;
constexpr std::uint32_t kTextMode = 1;

// 3.3
struct Info {
  std::uint32_t flags;
  std::uint32_t mem_lower;
  std::uint32_t mem_upper;
  std::uint32_t boot_device;
  std::uint32_t cmdline;
  std::uint32_t mods_count;
  std::uint32_t mods_addr;
  std::uint32_t elf_num;
  std::uint32_t elf_size;
  std::uint32_t elf_addr;
  std::uint32_t elf_shndx;
  std::uint32_t mmap_length;
  std::uint32_t mmap_addr;
  std::uint32_t drives_length;
  std::uint32_t drives_addr;
  std::uint32_t config_table;
  std::uint32_t boot_loader_name;
  std::uint32_t apm_table;
  std::uint32_t vbe[4];
  std::uint32_t framebuffer[7];
};
static_assert(offsetof(Info, mmap_length) == 44 && offsetof(Info, boot_loader_name) == 64);
static_assert(sizeof(Info) == 116);
constexpr std::uint32_t kHasMemory = 1U << 0;
constexpr std::uint32_t kHasCommandLine = 1U << 2;
constexpr std::uint32_t kHasModules = 1U << 3;
constexpr std::uint32_t kHasSections = 1U << 5;
constexpr std::uint32_t kHasMap = 1U << 6;
constexpr std::uint32_t kHasLoaderName = 1U << 9;

struct Module {
  std::uint32_t start;
  std::uint32_t end;
  std::uint32_t string;
  std::uint32_t reserved;
};

struct [[gnu::packed]] MapEntry {
  std::uint32_t size;  // of what follows
  std::uint64_t base;
  std::uint64_t length;
  std::uint32_t type;
};

std::uint32_t low32(GuestAddr gpa) {
  return static_cast<std::uint32_t>(gpa.value);
}

Result<> check_flags(const Source& image, const Header& header, std::uint64_t at, LoadPlan& plan) {
  const std::uint64_t flags_at = at + offsetof(Header, flags);
  if (const std::uint32_t unknown = header.flags & kRequired & ~kRequiredKnown; unknown != 0)
    return reject(
        image, {.field = "multiboot flags",
                .offset = flags_at,
                .found = fmt::format("{:#x}, which requires unknown features {:#x}", header.flags,
                                     unknown),
                .allowed = fmt::format("of bits 0 to 15 those in {:#x}", kRequiredKnown)});
  if ((header.flags & kVideo) == 0) return {};
  const auto mode = TRY(read_struct<std::uint32_t>(image, "multiboot mode_type", at + kVideoAt));
  if (mode != kTextMode)
    return reject(image, {.field = "multiboot mode_type",
                          .offset = at + kVideoAt,
                          .found = fmt::format("{}: it requires graphics", mode),
                          .allowed = "1 (text), as there is no display",
                          .advice = "clear bit 2 of its flags, and let it use the serial port"});
  plan.notes.emplace_back("it wishes a text mode: there is no display, only serial ports");
  return {};
}

Result<> load_by_addresses(LoadPlan& plan, Room& room, const Source& image, std::uint64_t at) {
  const std::uint64_t fields_at = at + sizeof(Header);
  const auto addresses = TRY(read_struct<Addresses>(image, "multiboot addresses", fields_at));
  Segment segment = TRY(address_segment(image, addresses.fields, at, fields_at));
  const std::uint64_t entry_at = fields_at + offsetof(Addresses, entry_addr);
  plan.entry.address = GuestAddr{addresses.entry_addr};
  if (plan.entry.address < segment.gpa ||
      plan.entry.address.value - segment.gpa.value >= segment.memory_length)
    return reject(image,
                  {.field = "entry_addr",
                   .offset = entry_at,
                   .found = fmt::format("{:#x}", addresses.entry_addr),
                   .allowed = fmt::format("{:#x} to {:#x}, where the image is", segment.gpa.value,
                                          segment.gpa.value + segment.memory_length - 1)});
  if (auto taken = room.take("the image", segment.gpa, segment.memory_length); !taken)
    return reject_place(image, "load_addr", fields_at + offsetof(AddressFields, load_addr),
                        std::move(taken.error()));
  plan.segments.push_back(std::move(segment));
  return {};
}

Result<> load_elf(LoadPlan& plan, Room& room, const Source& image, const ElfFile& elf) {
  TRY(add_elf_segments(plan, room, image, elf));
  plan.entry.address = TRY(elf_entry(image, elf, EntryIn::any));
  if (plan.entry.address.value >= k4GiB)
    return reject(image,
                  {.field = "e_entry",
                   .offset = kElfEntryAt,
                   .found = fmt::format("{:#x}, at gpa {:#x}", elf.entry, plan.entry.address.value),
                   .allowed = "below 4 GiB: it starts in 32-bit mode"});
  return {};
}

Result<> add_map(LoadPlan& plan, Room& room, const BootRequest& request, Info& info) {
  ByteWriter map;
  for (const MemoryMapEntry& entry : request.memory_map)
    map.put(MapEntry{.size = sizeof(MapEntry) - sizeof(std::uint32_t),
                     .base = entry.base.value,
                     .length = entry.size,
                     .type = static_cast<std::uint32_t>(entry.type)});
  info.mmap_length = static_cast<std::uint32_t>(map.size());
  info.mmap_addr = low32(TRY(add_block(plan, room, "memory map", map.bytes())));
  info.flags |= kHasMap;
  return {};
}

Result<> add_modules(LoadPlan& plan, Room& room, const BootRequest& request, Info& info) {
  const auto files = TRY(add_files(plan, room, request, after_image(room)));
  info.flags |= kHasModules;
  if (files.empty()) return {};
  ByteWriter list;
  for (const PlacedFile& file : files) {
    const GuestAddr text = TRY(add_text(plan, room, "module's string", file.text));
    list.put(Module{.start = low32(file.gpa),
                    .end = low32(GuestAddr{file.gpa.value + file.size}),
                    .string = low32(text),
                    .reserved = 0});
  }
  info.mods_count = static_cast<std::uint32_t>(files.size());
  info.mods_addr = low32(TRY(add_block(plan, room, "module list", list.bytes())));
  return {};
}

Result<> add_sections(LoadPlan& plan, Room& room, const Source& image, const ElfFile& elf,
                      Info& info) {
  auto sections = add_elf_sections(plan, room, image, elf, after_image(room));
  if (!sections) return {};
  info.elf_num = sections->count;
  info.elf_size = sections->size;
  info.elf_shndx = sections->names;
  info.elf_addr = low32(TRY(add_block(plan, room, "section headers", std::move(sections->table))));
  info.flags |= kHasSections;
  return {};
}

}  // namespace

Result<std::optional<std::uint64_t>> find_multiboot1(const Source& image) {
  std::vector<std::uint8_t> bytes(std::min(image.size(), kSearched));
  TRY(image.read(0, bytes));
  for (std::uint64_t at = 0; at + sizeof(Header) <= bytes.size(); at += sizeof(std::uint32_t)) {
    Header header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    if (header.magic == kMagic && header.magic + header.flags + header.checksum == 0)
      return std::optional(at);
  }
  return std::optional<std::uint64_t>();
}

Result<LoadPlan> plan_multiboot1(const BootRequest& request, const Source& image) {
  const auto at = TRY(find_multiboot1(image));
  if (!at)
    return reject(image, {.field = "multiboot header",
                          .offset = 0,
                          .found = fmt::format("no magic {:#x} with its checksum", kMagic),
                          .allowed = "one at a multiple of 4 within the first 8192 bytes"});
  const auto header = TRY(read_struct<Header>(image, "multiboot header", *at));
  LoadPlan plan{.format = Format::multiboot1};
  plan.notes.push_back(
      fmt::format("multiboot header at offset {:#x}, flags {:#x}", *at, header.flags));
  TRY(check_flags(image, header, *at, plan));

  Room room = request.room();
  Info info{};
  std::optional<ElfFile> elf;
  if ((header.flags & kAddresses) != 0) {
    TRY(load_by_addresses(plan, room, image, *at));
  } else if (has_elf_magic(image)) {
    elf = TRY(read_elf(image));
    TRY(load_elf(plan, room, image, *elf));
  } else {
    return reject(image,
                  {.field = "multiboot flags",
                   .offset = *at + offsetof(Header, flags),
                   .found = fmt::format("{:#x}: no addresses, and it is no ELF file", header.flags),
                   .allowed = "with bit 16, where it is to be loaded"});
  }

  plan.entry.mode = EntryMode::protected32;
  plan.entry.rax = kLoaderMagic;
  TRY(add_gdt(plan, room));
  const BasicMemory memory = basic_memory(request);
  info.flags |= kHasMemory | kHasCommandLine | kHasLoaderName;
  info.mem_lower = memory.lower;
  info.mem_upper = memory.upper;
  std::string line(base_name(image.path()));
  if (!request.command_line.empty()) line += " " + request.command_line;
  info.cmdline = low32(TRY(add_text(plan, room, "command line", line)));
  info.boot_loader_name = low32(TRY(add_text(plan, room, "boot loader's name", "vmctl")));
  TRY(add_map(plan, room, request, info));
  TRY(add_modules(plan, room, request, info));
  if (elf) TRY(add_sections(plan, room, image, *elf, info));
  ByteWriter bytes;
  bytes.put(info);
  plan.entry.rbx = TRY(add_block(plan, room, "multiboot information", bytes.bytes())).value;
  return plan;
}

}  // namespace vmctl
