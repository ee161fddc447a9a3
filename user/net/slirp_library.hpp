// SPDX-License-Identifier: GPL-2.0
// libslirp, loaded when a guest is to have it: it comes with GLib, which no other guest shall pay
// for in time and memory.
#pragma once

#include <slirp/libslirp.h>

#include "base/result.hpp"

namespace vmctl {

struct SlirpLibrary {
  decltype(&slirp_new) create;
  decltype(&slirp_cleanup) destroy;
  decltype(&slirp_pollfds_fill) fill;
  decltype(&slirp_pollfds_poll) poll;
  decltype(&slirp_input) input;
  decltype(&slirp_add_hostfwd) forward;

  // Once for all; it stays until the program ends.
  static Result<const SlirpLibrary*> load();
};

}  // namespace vmctl
