// SPDX-License-Identifier: GPL-2.0
// What the program has to say to its user: on stderr, each message whole.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace vmctl {

// "vmctl: message"
void note(std::string_view message);
void report(const Error& error);

// Text as it is, with a newline.
void line_to_stderr(std::string_view text);

}  // namespace vmctl
