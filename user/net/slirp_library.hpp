// SPDX-License-Identifier: GPL-2.0
// libslirp, opened when it is needed: it comes with GLib. Same names, same arguments.
#pragma once

#include <slirp/libslirp.h>

#include "base/library.hpp"

namespace vmctl {

inline constinit const Library kSlirp{VMCTL_SLIRP};

// NOLINTBEGIN(bugprone-macro-parentheses): a name
#define VMCTL_SLIRP_FUNCTION(name)                         \
  inline constinit const Deferred<decltype(::name)> name { \
    kSlirp, #name                                          \
  }
// NOLINTEND(bugprone-macro-parentheses)

VMCTL_SLIRP_FUNCTION(slirp_new);
VMCTL_SLIRP_FUNCTION(slirp_cleanup);
VMCTL_SLIRP_FUNCTION(slirp_pollfds_fill);
VMCTL_SLIRP_FUNCTION(slirp_pollfds_poll);
VMCTL_SLIRP_FUNCTION(slirp_input);
VMCTL_SLIRP_FUNCTION(slirp_add_hostfwd);

#undef VMCTL_SLIRP_FUNCTION

}  // namespace vmctl
