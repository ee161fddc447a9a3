// SPDX-License-Identifier: GPL-2.0
// Files and texts that a boot protocol hands to the guest by address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/room.hpp"

namespace vmctl {

// Puts bytes at a multiple of `align` where nothing else is, as low as can be: below 1 MiB as long
// as there is room, else below 4 GiB; never in the first page. Adds them to the plan.
Result<GuestAddr> add_block(LoadPlan& plan, Room& room, std::string name,
                            std::vector<std::uint8_t> bytes, std::uint64_t align = 16);
// The same for a text with a NUL behind it.
Result<GuestAddr> add_text(LoadPlan& plan, Room& room, std::string name, std::string_view text);

struct PlacedFile {
  GuestAddr gpa;
  std::uint64_t size;
  std::string text;  // its arguments; without any, its name without folders
};

// Each file of the request at pages of its own: as low as can be from `low` on, else from 1 MiB on,
// and below 4 GiB. bad_image names the one that does not fit.
Result<std::vector<PlacedFile>> add_files(LoadPlan& plan, Room& room, const BootRequest& request,
                                          GuestAddr low);

// The end of the highest that is taken, or 1 MiB if that is more: where modules may follow.
GuestAddr after_image(const Room& room);

// "kernel.elf" of "/boot/kernel.elf".
std::string_view base_name(std::string_view path);

// KiB of memory from 0 on, at most 640, and from 1 MiB on up to the first gap, as INT 15h has told
// them (Multiboot 0.6.96, 3.3; Multiboot2 2.0, 3.6.4).
struct BasicMemory {
  std::uint32_t lower;
  std::uint32_t upper;
};
BasicMemory basic_memory(const BootRequest& request);

}  // namespace vmctl
