/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of commands: what becomes of each, and why. table.c; the handlers
 * are of ioctl.c and of those that it calls.
 */
#ifndef VMCTL_TABLE_H
#define VMCTL_TABLE_H

#include <linux/bits.h>
#include <linux/types.h>

struct vmctl_call;

/* Changes the memory slots, which the table of VMs shows. */
#define VMCTL_ROW_CHANGES	BIT(0)
/* Works on a revoked VM too, and does not touch KVM. */
#define VMCTL_ROW_ALWAYS	BIT(1)

/**
 * struct vmctl_row - one command
 * @cmd: its number; for own commands the size is that of our structure
 * @on: kinds of fd, VMCTL_ON_*
 * @flags: VMCTL_ROW_*
 * @verdict: VMCTL_ALLOWED and so on
 * @smallest: own command: size of the structure in the first version
 * @name: for people
 * @why: the reason for the verdict, for people
 * @handler: what to do for a KVM command; NULL refuses it
 * @own: what to do for an own command, with its structure in the kernel
 */
struct vmctl_row {
	unsigned int cmd;
	u8 on;
	u8 flags;
	u8 verdict;
	u16 smallest;
	const char *name;
	const char *why;
	long (*handler)(struct vmctl_call *call);
	long (*own)(struct vmctl_call *call, void *arg);
};

void vmctl_table_init(void);
const struct vmctl_row *vmctl_table_find(unsigned int cmd);
const struct vmctl_row *vmctl_table_at(unsigned int index);
void vmctl_table_refused(const struct vmctl_row *row);
u64 vmctl_table_refusals(const struct vmctl_row *row);

/* ioctl.c */
long vmctl_pass(struct vmctl_call *call);
long vmctl_refuse(struct vmctl_call *call);
long vmctl_set_memory(struct vmctl_call *call);
long vmctl_create_vm(struct vmctl_call *call);

#endif /* VMCTL_TABLE_H */
