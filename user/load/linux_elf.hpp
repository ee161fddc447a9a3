// SPDX-License-Identifier: GPL-2.0
// How an uncompressed Linux kernel is told from other ELF executables.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "load/elf_file.hpp"
#include "load/request.hpp"

namespace vmctl {

// COMMAND_LINE_SIZE of x86, less the NUL.
inline constexpr std::uint64_t kLinuxCommandLineMax = 2047;

// It has a note of the name Linux of its own types (include/linux/elfnote.h, elfnote-lto.h: build
// salt, LTO), or a note XEN_ELFNOTE_GUEST_OS that says linux. Or it is linked as Linux is: a
// segment's virtual addresses are as far above its physical ones as __START_KERNEL_map (x86-64) or
// PAGE_OFFSET (i386) says, and e_entry is a physical address of it. A stripped kernel has them,
// too.
bool is_linux(const ElfFile& elf, const std::vector<ElfNote>& notes);

// What Linux cannot take when it is started by PVH: bad_image: a longer command line; usage: more
// than one initrd, or one with arguments.
Result<> check_linux_by_pvh(const BootRequest& request);

}  // namespace vmctl
