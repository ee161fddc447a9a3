// SPDX-License-Identifier: GPL-2.0
// Linux kernels as they are linked, uncompressed: by the 64-bit boot protocol in long mode (by the
// 32-bit one for i386), rsi pointing to the zero page (Documentation/arch/x86/boot.rst). What the
// setup header of a bzImage says of a kernel is not in the file: see vmlinux_boot_params().
#pragma once

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// e_entry is a physical address, as Linux has it, or the virtual one of a segment. bad_image: see
// read_elf; an entry outside of all segments or above 4 GiB; bad_image and usage of
// add_boot_params().
Result<LoadPlan> plan_vmlinux(const BootRequest& request, const Source& image);

}  // namespace vmctl
