// SPDX-License-Identifier: GPL-2.0
#include "load/elf.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "load/boot_tables.hpp"
#include "load/elf_file.hpp"
#include "load/elf_load.hpp"
#include "load/gdt_search.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kPage = 0x1000;
constexpr GuestAddr kMiB{0x100000};

Result<> check_request(const BootRequest& request) {
  const auto refuse = [](const char* option, const char* what) {
    return fail({.status = Status::usage,
                 .what = fmt::format("{} for a plain ELF executable", option),
                 .why = fmt::format("it has no way to find {}", what),
                 .advice = "leave it out, or give the image a multiboot header or a PVH note"});
  };
  if (!request.command_line.empty()) return refuse("--append", "a command line");
  if (!request.files.empty()) return refuse("--initrd", "a file");
  return {};
}

// A segment has its last page to itself, with the zeros behind it, or is not read-only.
bool take_whole_pages(Room& room, Segment& segment) {
  const std::uint64_t end = segment.gpa.value + segment.memory_length;
  const std::uint64_t rest = (kPage - end % kPage) % kPage;
  if (segment.gpa.value % kPage != 0) return false;
  if (!room.take("the rest of " + segment.name, GuestAddr{end}, rest)) return false;
  segment.memory_length += rest;
  return true;
}

// Within the first bytes of the text.
Result<std::optional<std::size_t>> find_gdt_in(const Source& image, const ElfSegment& text) {
  constexpr std::uint64_t kSearched = 1 << 20;
  const std::uint64_t size = std::min(text.filesz, kSearched);
  const auto bytes = TRY(read_bytes(image, text.name, text.offset, size, kSearched));
  return find_gdt(bytes, text.paddr, text.vaddr);
}

// Text alone, as constants may hold a GDT, too. The plan has one segment at the same place for each
// PT_LOAD that takes memory, in order; `room` is without all of them.
Result<> protect(const Source& image, const ElfFile& elf, Room& room, LoadPlan& plan) {
  auto planned = plan.segments.begin();
  for (const ElfSegment& segment : elf.segments) {
    if (segment.type != PT_LOAD || segment.memsz == 0) continue;
    Segment& text = *planned++;
    if ((segment.flags & (PF_X | PF_W)) != PF_X) continue;
    if (const auto gdt = TRY(find_gdt_in(image, segment)))
      plan.notes.push_back(
          fmt::format("its text has a GDT, at {:#x}, to which the processor writes: not read-only",
                      segment.paddr + *gdt));
    else
      text.read_only = take_whole_pages(room, text);
  }
  return {};
}

}  // namespace

Result<LoadPlan> plan_elf(const BootRequest& request, const Source& image) {
  const ElfFile elf = TRY(read_elf(image));
  TRY(check_request(request));
  const bool wide = elf.bits == ElfClass::elf64;
  LoadPlan plan{.format = Format::elf};
  Room room = request.room();
  TRY(add_elf_segments(plan, room, image, elf));
  TRY(protect(image, elf, room, plan));
  plan.entry.mode = wide ? EntryMode::long64 : EntryMode::protected32;
  plan.entry.address = TRY(elf_entry(image, elf, EntryIn::executable));
  TRY(check_entry_is_mapped(image, elf, plan.entry.address));
  TRY(add_gdt(plan, room));
  if (wide) TRY(add_identity_map(plan, room));
  const GuestAddr stack =
      TRY(room.place("the stack", kElfStack, 16, GuestAddr{kPage}, kMiB, Room::From::top));
  plan.entry.rsp = stack.value + kElfStack;
  plan.notes.push_back(fmt::format("ELF, {} bits, entry {:#x}", wide ? 64 : 32, elf.entry));
  return plan;
}

}  // namespace vmctl
