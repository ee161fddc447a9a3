// SPDX-License-Identifier: GPL-2.0-only
//
// Memory that the kernel has lost, as kmemleak finds it.
#pragma once

#include <string>
#include <vector>

namespace t {

// Whether this kernel looks for leaks.
bool finds_leaks();

// One report, of several lines, for each object that was lost since boot, but for those that are
// known. Takes some seconds: what is younger than five does not count as lost, and only a second
// look is sure that an object has not just been changed.
std::vector<std::string> leaks();

// Those that there are now are not told again.
void forget_leaks();

}  // namespace t
