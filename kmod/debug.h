/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMs in debugfs. debug.c
 */
#ifndef VMCTL_DEBUG_H
#define VMCTL_DEBUG_H

struct vmctl_vm;

void vmctl_debug_init(void);
void vmctl_debug_exit(void);
void vmctl_debug_add(struct vmctl_vm *vm);
void vmctl_debug_remove(struct vmctl_vm *vm);

#endif /* VMCTL_DEBUG_H */
