// SPDX-License-Identifier: GPL-2.0
// Small whole files: /proc, /sys, the table of /dev/vmctl, the policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace vmctl {

// The contents up to the end of file (at most 1 MiB), or nothing and errno.
std::optional<std::string> read_file(const std::string& path);

// The same without blanks and newlines at the end; empty when unreadable.
std::string read_line(const std::string& path);

// Puts a file in the place of what is there, which is never seen half written; with mode and owner
// of the old one, or 0644; where the path is a symbolic link, of what that leads to. A folder that
// is missing is made, 0755. False and errno, and the old file stays, when that fails.
bool replace_file(const std::string& path, const std::string& text);

// All there is then in a file that exists, as one of /sys. False and errno when that fails.
bool write_file(const std::string& path, std::string_view text);

// The one who holds this file, which is made where it is not (0600), until the Fd goes; waits for
// another. Invalid, and errno, where it cannot be opened.
Fd lock_file(const std::string& path);

}  // namespace vmctl
