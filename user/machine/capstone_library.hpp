// SPDX-License-Identifier: GPL-2.0
// capstone, opened when it is needed: traces and dumps alone do. Same names, same arguments.
#pragma once

#include <capstone/capstone.h>

#include "base/library.hpp"

namespace vmctl {

inline constinit const Library kCapstone{VMCTL_CAPSTONE};

// NOLINTBEGIN(bugprone-macro-parentheses): a name
#define VMCTL_CAPSTONE_FUNCTION(name)                      \
  inline constinit const Deferred<decltype(::name)> name { \
    kCapstone, #name                                       \
  }
// NOLINTEND(bugprone-macro-parentheses)

VMCTL_CAPSTONE_FUNCTION(cs_open);
VMCTL_CAPSTONE_FUNCTION(cs_close);
VMCTL_CAPSTONE_FUNCTION(cs_option);
VMCTL_CAPSTONE_FUNCTION(cs_disasm);
VMCTL_CAPSTONE_FUNCTION(cs_free);

#undef VMCTL_CAPSTONE_FUNCTION

}  // namespace vmctl
