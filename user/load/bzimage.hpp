// SPDX-License-Identifier: GPL-2.0
// Linux as it is installed, vmlinuz: a setup header and a kernel that unpacks itself
// (Documentation/arch/x86/boot.rst, protocol 2.06 and later). Its real-mode part is not run.
#pragma once

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// Entered in 64-bit mode where the kernel says that it can be, else in 32-bit mode. The kernel is
// put where it prefers to run, or the next place above that is large enough for it to unpack
// itself (init_size; before protocol 2.10 it does not say how much that is, and only its file's
// part is kept free). bad_image with the field of the header: a file that is no bzImage, is
// truncated, or what does not fit; usage: as add_boot_params().
Result<LoadPlan> plan_bzimage(const BootRequest& request, const Source& image);

}  // namespace vmctl
