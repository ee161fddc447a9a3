// SPDX-License-Identifier: GPL-2.0
// libkmod, opened when it is needed: the commands for modules alone do. Same names, same arguments.
#pragma once

#include <libkmod.h>

#include "base/library.hpp"

namespace vmctl {

inline constinit const Library kLibkmod{VMCTL_LIBKMOD};

// NOLINTBEGIN(bugprone-macro-parentheses): a name
#define VMCTL_KMOD(name)                                   \
  inline constinit const Deferred<decltype(::name)> name { \
    kLibkmod, #name                                        \
  }
// NOLINTEND(bugprone-macro-parentheses)

VMCTL_KMOD(kmod_new);
VMCTL_KMOD(kmod_unref);
VMCTL_KMOD(kmod_set_log_priority);
VMCTL_KMOD(kmod_list_next);
VMCTL_KMOD(kmod_module_new_from_name);
VMCTL_KMOD(kmod_module_new_from_path);
VMCTL_KMOD(kmod_module_new_from_lookup);
VMCTL_KMOD(kmod_module_unref);
VMCTL_KMOD(kmod_module_unref_list);
VMCTL_KMOD(kmod_module_get_info);
VMCTL_KMOD(kmod_module_info_get_key);
VMCTL_KMOD(kmod_module_info_get_value);
VMCTL_KMOD(kmod_module_info_free_list);
VMCTL_KMOD(kmod_module_get_name);
VMCTL_KMOD(kmod_module_get_path);
VMCTL_KMOD(kmod_module_get_initstate);
VMCTL_KMOD(kmod_module_get_refcnt);
VMCTL_KMOD(kmod_module_get_holders);
VMCTL_KMOD(kmod_module_get_module);
VMCTL_KMOD(kmod_module_insert_module);
VMCTL_KMOD(kmod_module_probe_insert_module);
VMCTL_KMOD(kmod_module_remove_module);

#undef VMCTL_KMOD

}  // namespace vmctl
