// SPDX-License-Identifier: GPL-2.0
// Which format an image has, by its content.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/source.hpp"

namespace vmctl {

// The names of format_name(); usage: another one.
Result<Format> parse_format(std::string_view name);

// The first that fits, of what is already unpacked:
//   bzimage     boot sector signature at 0x1fe and "HdrS" at 0x202 (boot.rst)
//   multiboot2  its header in the first 32768 bytes
//   multiboot1  its header in the first 8192 bytes
//   pvh         an ELF file with the note XEN_ELFNOTE_PHYS32_ENTRY
//   vmlinux     an ELF file that is Linux (load/linux_elf.hpp)
//   elf         any other ELF file
//   flat        all else
// bad_image: an ELF file of which nothing can be made, a file that cannot be read.
Result<Format> identify(const Source& image);

}  // namespace vmctl
