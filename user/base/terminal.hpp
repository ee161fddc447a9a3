// SPDX-License-Identifier: GPL-2.0
// Text from elsewhere, such that a terminal shows it and does nothing else.
#pragma once

#include <string>
#include <string_view>

namespace vmctl {

// All that is not printable ASCII as octal escapes, but for the characters of `keep`. Parts of it
// may be escaped already: unlike escaped() it leaves backslashes alone.
std::string for_terminal(std::string_view text, std::string_view keep = "");

}  // namespace vmctl
