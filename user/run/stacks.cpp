// SPDX-License-Identifier: GPL-2.0
#include "run/stacks.hpp"

#include <pthread.h>

namespace vmctl {

void bound_stacks() {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return;  // those of before do as well
  ::pthread_attr_setstacksize(&attributes, kStackSize);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace vmctl
