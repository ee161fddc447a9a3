/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capabilities: what KVM says that it can, and what may be switched on. cap.c
 */
#ifndef VMCTL_CAP_H
#define VMCTL_CAP_H

struct vmctl_call;

long vmctl_cap_check(struct vmctl_call *call);
long vmctl_cap_enable(struct vmctl_call *call);

#endif /* VMCTL_CAP_H */
