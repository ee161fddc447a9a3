// SPDX-License-Identifier: GPL-2.0
// ELF executables that start as Xen's PVH guests do: in flat protected mode at the address that the
// note XEN_ELFNOTE_PHYS32_ENTRY gives, ebx pointing to hvm_start_info of version 1 (Xen,
// public/arch-x86/hvm/start_info.h, public/elfnote.h, docs/misc/pvh.pandoc). Linux kernels with
// CONFIG_PVH are such; the first file is their initrd.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "load/elf_file.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// The note, or nullptr; whether it says something useful shows in the plan.
const ElfNote* find_pvh_note(const std::vector<ElfNote>& notes);

// bad_image: see read_elf; no note, one of another size than 4 or 8 bytes, an entry outside of all
// segments; for Linux a command line longer than it takes. usage: for Linux more than one file, or
// one with arguments.
Result<LoadPlan> plan_pvh(const BootRequest& request, const Source& image);

}  // namespace vmctl
