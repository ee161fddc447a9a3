// SPDX-License-Identifier: GPL-2.0
#include "base/result.hpp"

#include <system_error>

namespace vmctl {

std::string Error::text() const {
  std::string text = what;
  if (!where.empty()) text += ": " + where;
  if (!why.empty()) text += ": " + why;
  if (!advice.empty()) text += "\n  " + advice;
  return text;
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace vmctl
