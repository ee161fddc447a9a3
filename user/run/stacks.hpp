// SPDX-License-Identifier: GPL-2.0
// The stacks of threads.
#pragma once

#include <cstddef>

namespace vmctl {

// Deep enough for all that runs here, and smaller than a huge page: a stack of 8 MiB may get one,
// and with it 2 MiB of memory, of which it uses some KiB (kernels before 6.7).
inline constexpr std::size_t kStackSize = std::size_t{1} << 20;

// From here on, for every thread that is begun without a size of its own.
void bound_stacks();

}  // namespace vmctl
