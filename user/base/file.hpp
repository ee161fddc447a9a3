// SPDX-License-Identifier: GPL-2.0
// Small whole files: /proc, /sys, the table of /dev/vmctl.
#pragma once

#include <optional>
#include <string>

namespace vmctl {

// The contents up to the end of file (at most 1 MiB), or nothing and errno.
std::optional<std::string> read_file(const std::string& path);

// The same without blanks and newlines at the end; empty when unreadable.
std::string read_line(const std::string& path);

}  // namespace vmctl
