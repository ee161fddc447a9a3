// SPDX-License-Identifier: GPL-2.0
// Multiboot images, version 0.6.96: ELF executables, of 64 bits too, and files that say in their
// header where they go.
//
// Of the required features (flags 0 to 15) page-aligned modules, memory information and a video
// mode are known; of the last only text can be wished, and there is no screen to show it. The
// kernel is given the command line behind the image's name, as GRUB 0.9x and QEMU do; a module
// its arguments, or its own name.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// Where the header is (3.1.1): 4-aligned and whole within the first 8192 bytes, its checksum right.
// An error only where the file cannot be read.
Result<std::optional<std::uint64_t>> find_multiboot1(const Source& image);

Result<LoadPlan> plan_multiboot1(const BootRequest& request, const Source& image);

}  // namespace vmctl
