// SPDX-License-Identifier: GPL-2.0
// Plain ELF executables, which know nothing of any boot protocol.
//
// The segments are where p_paddr says, and what nobody may write to is read-only for the guest,
// too, where it fills whole pages. It starts at e_entry in flat protected mode (32-bit class) or in
// long mode with the first 4 GiB mapped one to one (64-bit class), interrupts off, rsp at the end
// of kElfStack bytes below 1 MiB, a multiple of 16; all other registers are 0.
#pragma once

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

inline constexpr std::uint64_t kElfStack = 16 << 10;

// bad_image: see read_elf; an entry outside of all executable segments, what does not fit. usage: a
// command line or files, which it has no way to find.
Result<LoadPlan> plan_elf(const BootRequest& request, const Source& image);

}  // namespace vmctl
