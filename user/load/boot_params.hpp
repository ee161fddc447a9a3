// SPDX-License-Identifier: GPL-2.0
// What Linux is told when it starts: the zero page (Documentation/arch/x86/zero-page.rst) and all
// that it points to. The same for a bzImage, whose file has the setup header, and for a vmlinux.
#pragma once

#include <asm/bootparam.h>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/room.hpp"
#include "load/source.hpp"

namespace vmctl {

// With the setup header that a 64-bit vmlinux, whose file has none, would have as a bzImage.
boot_params vmlinux_boot_params();

// Adds the command line, the initrds of the request as one, a seed of random bytes and the zero
// page to a plan whose kernel has taken its room already; sets entry.rsi, where both the 32- and
// the 64-bit entry want the zero page. `params.hdr` comes from `image` and says what the kernel
// can take; all else in `params` is zero. Everything is put below 4 GiB.
// bad_image: what does not fit, or is more than the kernel takes; usage: a command line with a
// NUL in it, an initrd with arguments.
Result<> add_boot_params(LoadPlan& plan, Room& room, const BootRequest& request,
                         const Source& image, boot_params params);

}  // namespace vmctl
