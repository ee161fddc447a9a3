/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nested virtualization: VMs that may run VMs themselves. nested.c
 */
#ifndef VMCTL_NESTED_H
#define VMCTL_NESTED_H

#include <linux/types.h>

struct vmctl_bill;
struct vmctl_call;

bool vmctl_nested_hidden(void);
bool vmctl_nested_watched(const struct vmctl_bill *bill);

long vmctl_nested_supported(struct vmctl_call *call);
long vmctl_nested_cpuid(struct vmctl_call *call);
long vmctl_nested_sregs(struct vmctl_call *call);
long vmctl_nested_msrs(struct vmctl_call *call);
long vmctl_nested_one_reg(struct vmctl_call *call);
long vmctl_nested_state(struct vmctl_call *call);

#endif /* VMCTL_NESTED_H */
