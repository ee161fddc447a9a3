/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Xen's ways. xen.c
 */
#ifndef VMCTL_XEN_H
#define VMCTL_XEN_H

struct vmctl_call;

long vmctl_xen_set_attr(struct vmctl_call *call);
long vmctl_xen_flags(long flags);

#endif /* VMCTL_XEN_H */
