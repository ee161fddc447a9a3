// SPDX-License-Identifier: GPL-2.0
// What to put where, before any of it is done. Every planner makes one of these out of a request,
// and touches nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guest_addr.hpp"
#include "load/source.hpp"

namespace vmctl {

enum class Format : std::uint8_t { flat, elf, multiboot1, multiboot2, pvh, bzimage, vmlinux };

// "multiboot1"
std::string_view format_name(Format format);

// `length` bytes at `offset` of a file go to `gpa`; then zeros, up to `memory_length` in all.
struct Segment {
  std::size_t file = 0;  // 0: the image, from 1 on BootRequest::files
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  GuestAddr gpa;
  std::uint64_t memory_length = 0;  // at least `length`
  bool read_only = false;           // the guest may not write to it; whole pages then
  std::string name = {};            // "segment 2", "initrd"
};

// Bytes that the planner made: boot parameters, tables, the command line.
struct Block {
  std::string name;
  GuestAddr gpa;
  std::vector<std::uint8_t> bytes;
};

// How the first vCPU starts. Interrupts are off in all of them.
enum class EntryMode : std::uint8_t {
  real,         // CS:IP for `address`; segments 0
  protected32,  // flat 4 GiB segments, paging off, A20 open (Multiboot 1, 3.2; PVH; boot.rst,
                // 32-bit)
  long64,       // flat segments, paging on with `page_table`, EFER.LME and LMA (boot.rst, 64-bit)
};
struct Entry {
  EntryMode mode = EntryMode::real;
  GuestAddr address;
  std::uint64_t rax = 0;
  std::uint64_t rbx = 0;
  std::uint64_t rsi = 0;
  std::uint64_t rsp = 0;
  // For protected32 and long64: a GDT in memory whose entries are null, null, code (0x10), data
  // (0x18); boot_tables.hpp makes both.
  GuestAddr gdt;
  std::uint16_t gdt_limit = 0;  // its size less one, in bytes
  GuestAddr page_table;         // long64: the PML4
};

struct LoadPlan {
  Format format = Format::flat;
  std::vector<Segment> segments;
  std::vector<Block> blocks;
  Entry entry;
  std::vector<std::string> notes = {};  // for people: what the image says of itself, a line each
};

}  // namespace vmctl
