// SPDX-License-Identifier: GPL-2.0
// vmctl policy show: limits, their use, and the table of commands.
#pragma once

#include <string>

#include "base/result.hpp"

namespace vmctl::cli {

struct PolicyShown {
  bool json = false;
  bool of_user = false;
  std::string user;  // by name or number, if of_user
};

// Prints it; of the user who asks where no other is named, and for whoever sees all, of all who
// have limits of their own.
Result<int> show_policy(const PolicyShown& options);

}  // namespace vmctl::cli
