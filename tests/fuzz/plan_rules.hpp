// SPDX-License-Identifier: GPL-2.0
// What holds for every plan, whatever image it was made of.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl::test {

// The first rule that a plan breaks; empty where it breaks none.
inline std::string broken_rule(const LoadPlan& plan, const BootRequest& request,
                               const Source& image) {
  struct Piece {
    std::string name;
    std::uint64_t base;
    std::uint64_t size;
  };
  std::vector<Piece> pieces;
  const Room room = request.room();
  const auto add = [&](const std::string& name, GuestAddr gpa, std::uint64_t size) {
    if (size > 0) pieces.push_back({name, gpa.value, size});
    return size == 0 ||
           (gpa.value < room.end_of(gpa).value && size <= room.end_of(gpa).value - gpa.value);
  };
  for (const Segment& segment : plan.segments) {
    if (segment.file > request.files.size()) return segment.name + " is of no file";
    const Source& source = segment.file == 0 ? image : *request.files[segment.file - 1].source;
    if (segment.offset > source.size() || segment.length > source.size() - segment.offset)
      return segment.name + " reaches beyond its file";
    if (segment.memory_length < segment.length) return segment.name + " is longer than its memory";
    if (!add(segment.name, segment.gpa, segment.memory_length))
      return segment.name + " is outside of memory";
    if (segment.read_only &&
        (segment.gpa.value % 0x1000 != 0 || segment.memory_length % 0x1000 != 0))
      return segment.name + " is read-only, and shares a page";
  }
  for (const Block& block : plan.blocks)
    if (!add(block.name, block.gpa, block.bytes.size()))
      return block.name + " is outside of memory";
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.base < b.base; });
  for (std::size_t i = 1; i < pieces.size(); ++i)
    if (pieces[i].base - pieces[i - 1].base < pieces[i - 1].size)
      return fmt::format("{} and {} overlap", pieces[i - 1].name, pieces[i].name);

  const Entry& entry = plan.entry;
  const bool held =
      std::any_of(plan.segments.begin(), plan.segments.end(), [&](const Segment& segment) {
        return segment.file == 0 && entry.address >= segment.gpa &&
               entry.address.value - segment.gpa.value < segment.memory_length;
      });
  if (!held) return "the entry is in nothing that is loaded";
  if (entry.mode == EntryMode::real) return "";
  const auto is_block = [&](GuestAddr gpa, std::uint64_t size) {
    return std::any_of(plan.blocks.begin(), plan.blocks.end(), [&](const Block& block) {
      return block.gpa == gpa && block.bytes.size() >= size;
    });
  };
  if (!is_block(entry.gdt, entry.gdt_limit + std::uint64_t{1})) return "there is no GDT";
  if (entry.mode == EntryMode::long64 && !is_block(entry.page_table, 0x1000))
    return "there is no page table";
  if (entry.address.value >> 32 != 0) return "the entry is beyond what is mapped";
  return "";
}

}  // namespace vmctl::test
