// SPDX-License-Identifier: GPL-2.0
// linux/kvm.h as the kernel means it: before Linux 6.6 its flexible arrays take a byte in C++, and
// the sizes of structures, and with them the numbers of commands, are wrong.
#pragma once

#include <linux/stddef.h>
#ifdef __DECLARE_FLEX_ARRAY
#undef __DECLARE_FLEX_ARRAY
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is the kernel's
#define __DECLARE_FLEX_ARRAY(type, name) type name[0]
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <linux/kvm.h>
#pragma GCC diagnostic pop

static_assert(sizeof(kvm_cpuid2) == 8);
static_assert(sizeof(kvm_msrs) == 8);
