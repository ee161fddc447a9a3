// SPDX-License-Identifier: GPL-2.0
// What a guest is started from, as vmctl load and vmctl inspect are told it.
#pragma once

#include <CLI/CLI.hpp>

#include "machine/boot.hpp"

namespace vmctl::cli {

// FILE, --format, --at, --entry, --mem, --initrd, --append; `boot` must outlive `command`.
void declare_boot(CLI::App& command, BootConfig& boot);

}  // namespace vmctl::cli
