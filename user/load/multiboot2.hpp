// SPDX-License-Identifier: GPL-2.0
// Multiboot2 images, version 2.0: ELF executables, and files that say in their header where they
// go; entered in 32-bit protected mode.
//
// Of the header's tags address, entry address, module alignment, relocatable and the information
// request are honoured; a framebuffer is a wish that there is no display for; those for EFI say
// what an image can do with firmware, and there is none. The command line is given as it is; a
// module gets its arguments, or its own name.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// Where the header is (3.1.1): 8-aligned and within the first 32768 bytes, its checksum right. An
// error only where the file cannot be read.
Result<std::optional<std::uint64_t>> find_multiboot2(const Source& image);

// bad_image: a header that is not all there, tags that are required and not understood, what is
// outside of the file or of memory or overlaps.
Result<LoadPlan> plan_multiboot2(const BootRequest& request, const Source& image);

}  // namespace vmctl
