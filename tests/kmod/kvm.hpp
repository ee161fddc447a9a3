// SPDX-License-Identifier: GPL-2.0-only
//
// linux/kvm.h as the kernel means it: before Linux 6.6 its flexible arrays take
// a byte in C++, and the sizes, and with them the numbers of commands, are wrong.
#pragma once

#include <linux/stddef.h>
#ifdef __DECLARE_FLEX_ARRAY
#undef __DECLARE_FLEX_ARRAY
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is the kernel's
#define __DECLARE_FLEX_ARRAY(type, name) type name[0]
#endif
#include <linux/kvm.h>

static_assert(sizeof(kvm_cpuid2) == 8);
static_assert(sizeof(kvm_msrs) == 8);
static_assert(sizeof(kvm_signal_mask) == 4);
static_assert(sizeof(kvm_xsave) == 4096);
