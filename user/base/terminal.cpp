// SPDX-License-Identifier: GPL-2.0
#include "base/terminal.hpp"

#include "base/bytes.hpp"

namespace vmctl {

std::string for_terminal(std::string_view text, std::string_view keep) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\' || keep.find(c) != std::string_view::npos)
      safe += c;
    else
      safe += escaped({&c, 1});
  }
  return safe;
}

}  // namespace vmctl
