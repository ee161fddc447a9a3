// SPDX-License-Identifier: GPL-2.0
#include "load/multiboot2.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "load/boot_files.hpp"
#include "load/boot_tables.hpp"
#include "load/byte_writer.hpp"
#include "load/elf_file.hpp"
#include "load/elf_load.hpp"
#include "load/elf_sections.hpp"
#include "load/multiboot2_header.hpp"

namespace vmctl {
namespace {

constexpr std::uint32_t kLoaderMagic = 0x36d76289;
constexpr std::uint64_t k4GiB = 0x100000000;
constexpr std::size_t kAlign = 8;

// The types of 3.6 that are given.
enum class Info : std::uint32_t {
  end = 0,
  command_line = 1,
  boot_loader_name = 2,
  module = 3,
  basic_memory = 4,
  memory_map = 6,
  elf_sections = 9,
  old_rsdp = 14,
  new_rsdp = 15,
  load_base = 21,
};

struct MapEntry {  // 3.6.8
  std::uint64_t base;
  std::uint64_t length;
  std::uint32_t type;
  std::uint32_t reserved;
};

// The boot information (3.6): a head of eight bytes, then tags at multiples of eight.
class Information {
 public:
  void add(Info type, std::span<const std::uint8_t> body) {
    bytes_.align(kAlign);
    bytes_.put(type);
    bytes_.put(static_cast<std::uint32_t>(2 * sizeof(std::uint32_t) + body.size()));
    bytes_.put_bytes(body);
  }
  void add(Info type, const ByteWriter& body) { add(type, body.bytes()); }
  void add(Info type, std::string_view text) {
    ByteWriter body;
    body.put_text(text);
    add(type, body);
  }
  std::vector<std::uint8_t> finish() {
    add(Info::end, ByteWriter());
    const std::array<std::uint32_t, 2> head{static_cast<std::uint32_t>(sizeof head + bytes_.size()),
                                            0};
    ByteWriter all;
    all.put(head);
    all.put_bytes(bytes_.bytes());
    return all.bytes();
  }

 private:
  ByteWriter bytes_;  // behind the head
};

// What is to be loaded, at the addresses that the image was made for.
struct Body {
  std::optional<ElfFile> elf;
  std::optional<Segment> segment;  // without an ELF file
  ElfExtent extent{};
  std::uint64_t entry = 0;
};

Result<> choose_entry(const Source& image, const Multiboot2Header& header, Body& body) {
  if (!header.entry) {
    if (body.elf) {
      body.entry = TRY(elf_entry(image, *body.elf, EntryIn::any)).value;
      return {};
    }
    return reject(image, {.field = "multiboot2 tags",
                          .offset = header.at,
                          .found = "an address tag without an entry address tag",
                          .allowed = "both, or none of them and an ELF file"});
  }
  body.entry = *header.entry;
  const bool held = body.elf ? elf_holds(*body.elf, body.entry)
                             : body.entry >= body.extent.first && body.entry < body.extent.end;
  if (held) return {};
  return reject(image, {.field = "entry_addr",
                        .offset = header.entry_at,
                        .found = fmt::format("{:#x}, in nothing that is loaded", body.entry),
                        .allowed = fmt::format("within {:#x} to {:#x}", body.extent.first,
                                               std::max(body.extent.end, std::uint64_t{1}) - 1)});
}

Result<Body> read_body(const Source& image, const Multiboot2Header& header) {
  Body body;
  if (header.addresses) {
    body.segment = TRY(address_segment(image, *header.addresses, header.at, header.addresses_at));
    body.extent = {body.segment->gpa.value, body.segment->gpa.value + body.segment->memory_length};
  } else if (has_elf_magic(image)) {
    body.elf = TRY(read_elf(image));
    body.extent = elf_extent(*body.elf);
  } else {
    return reject(image, {.field = "multiboot2 tags",
                          .offset = header.at,
                          .found = "no address tag, and it is no ELF file",
                          .allowed = "an address tag, which says where it is to be loaded"});
  }
  TRY(choose_entry(image, header, body));
  return body;
}

// How far from where it was made for the image goes, modulo 2^64.
Result<std::uint64_t> choose_shift(const Source& image, const Multiboot2Header& header,
                                   const Body& body, Room room) {
  if (!header.relocatable) return 0;
  const Multiboot2Relocatable& wish = *header.relocatable;
  const std::uint64_t size = body.extent.end - body.extent.first;
  const GuestAddr first{body.extent.first};
  const bool fits = first.value >= wish.min_addr && body.extent.end - 1 <= wish.max_addr &&
                    first.value % wish.align == 0;
  if (wish.preference != kPreferLowest && wish.preference != kPreferHighest && fits &&
      room.take("the image", first, size))
    return 0;
  const auto from = wish.preference == kPreferHighest ? Room::From::top : Room::From::bottom;
  auto place = room.place("the image", size, wish.align, GuestAddr{wish.min_addr},
                          GuestAddr{std::uint64_t{wish.max_addr} + 1}, from);
  if (!place)
    return reject_place(image, "multiboot2 relocatable tag", header.relocatable_at,
                        std::move(place.error()));
  return place->value - first.value;
}

Result<> load_body(LoadPlan& plan, Room& room, const Source& image, const Multiboot2Header& header,
                   Body& body, std::uint64_t shift) {
  if (body.elf) {
    TRY(add_elf_segments(plan, room, image, *body.elf, shift));
  } else {
    body.segment->gpa.value += shift;
    if (auto taken = room.take("the image", body.segment->gpa, body.segment->memory_length); !taken)
      return reject_place(image, "multiboot2 address tag", header.addresses_at,
                          std::move(taken.error()));
    plan.segments.push_back(*body.segment);
  }
  plan.entry.address = GuestAddr{body.entry + shift};
  if (plan.entry.address.value >= k4GiB)
    return reject(image, {.field = "e_entry",
                          .offset = kElfEntryAt,
                          .found = fmt::format("gpa {:#x}", plan.entry.address.value),
                          .allowed = "below 4 GiB: it starts in 32-bit mode"});
  return {};
}

std::uint32_t low32(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}

Result<> add_modules(LoadPlan& plan, Room& room, const BootRequest& request,
                     Information& information) {
  for (const PlacedFile& file : TRY(add_files(plan, room, request, after_image(room)))) {
    ByteWriter module;
    module.put(low32(file.gpa.value));
    module.put(low32(file.gpa.value + file.size));
    module.put_text(file.text);
    information.add(Info::module, module);
  }
  return {};
}

void add_memory(const BootRequest& request, Information& information) {
  const BasicMemory memory = basic_memory(request);
  ByteWriter basic;
  basic.put(memory.lower);
  basic.put(memory.upper);
  information.add(Info::basic_memory, basic);
  ByteWriter map;
  map.put(static_cast<std::uint32_t>(sizeof(MapEntry)));
  map.put(std::uint32_t{0});  // entry_version
  for (const MemoryMapEntry& entry : request.memory_map)
    map.put(MapEntry{.base = entry.base.value,
                     .length = entry.size,
                     .type = static_cast<std::uint32_t>(entry.type),
                     .reserved = 0});
  information.add(Info::memory_map, map);
}

// 3.6.13 and 3.6.14: copies, the old one of the 20 bytes that ACPI 1.0 knows.
void add_acpi(const BootRequest& request, Information& information) {
  constexpr std::size_t kOldSize = 20;
  const std::span<const std::uint8_t> rsdp = request.rsdp_bytes;
  if (rsdp.size() < kOldSize) return;
  information.add(Info::old_rsdp, rsdp.first(kOldSize));
  information.add(Info::new_rsdp, rsdp);
}

void add_sections(LoadPlan& plan, Room& room, const Source& image, const ElfFile& elf,
                  std::uint64_t shift, Information& information) {
  const auto sections = add_elf_sections(plan, room, image, elf, after_image(room), shift);
  if (!sections) return;
  ByteWriter body;
  body.put(sections->count);
  body.put(sections->size);
  body.put(sections->names);
  body.put_bytes(sections->table);
  information.add(Info::elf_sections, body);
}

}  // namespace

Result<LoadPlan> plan_multiboot2(const BootRequest& request, const Source& image) {
  Multiboot2Header header = TRY(read_multiboot2_header(image));
  Body body = TRY(read_body(image, header));
  LoadPlan plan{.format = Format::multiboot2};
  Room room = request.room();
  const std::uint64_t shift = TRY(choose_shift(image, header, body, room));
  TRY(load_body(plan, room, image, header, body, shift));
  plan.entry.mode = EntryMode::protected32;
  plan.entry.rax = kLoaderMagic;
  TRY(add_gdt(plan, room));

  Information information;
  information.add(Info::command_line, request.command_line);
  information.add(Info::boot_loader_name, "vmctl");
  TRY(add_modules(plan, room, request, information));
  add_memory(request, information);
  add_acpi(request, information);
  if (body.elf) add_sections(plan, room, image, *body.elf, shift, information);
  if (header.relocatable) {
    ByteWriter base;
    base.put(low32(body.extent.first + shift));
    information.add(Info::load_base, base);
  }
  plan.entry.rbx = TRY(add_block(plan, room, "multiboot2 information", information.finish())).value;
  plan.notes.push_back(fmt::format("multiboot2 header at offset {:#x}", header.at));
  if (shift != 0)
    plan.notes.push_back(
        fmt::format("relocated from {:#x} to {:#x}", body.extent.first, body.extent.first + shift));
  for (std::string& note : header.notes) plan.notes.push_back(std::move(note));
  return plan;
}

}  // namespace vmctl
