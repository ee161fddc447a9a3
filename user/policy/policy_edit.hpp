// SPDX-License-Identifier: GPL-2.0
// The file of limits with some of them changed, and all else in it as people wrote it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "policy/policy_file.hpp"

namespace vmctl {

struct PolicyEdit {
  Scope scope;
  std::string whose;   // the same as words of the file: "total", "each", "user alice"
  Limits limits;       // set
  bool alone = false;  // what else the file says of this scope goes
};

// The new text. A limit that stands there is changed in its line; a new one comes at the end.
// bad_image: as parse_policy(), of the old text, or of one that would be too large.
Result<std::string> edit_policy(std::string_view text, std::string_view path,
                                const FindUser& find_user, const PolicyEdit& edit);

}  // namespace vmctl
