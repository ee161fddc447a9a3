// SPDX-License-Identifier: GPL-2.0
#include "base/result.hpp"

#include <system_error>

#include "base/terminal.hpp"

namespace vmctl {

std::string Error::text() const {
  std::string text = for_terminal(what);
  if (!where.empty()) text += ": " + for_terminal(where);
  if (!why.empty()) text += ": " + for_terminal(why);
  if (!advice.empty()) text += "\n  " + for_terminal(advice, "\n");
  return text;
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace vmctl
