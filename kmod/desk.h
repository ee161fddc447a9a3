/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A desk: a command's argument where KVM can read it and its caller can not
 * change it any more. desk.c
 */
#ifndef VMCTL_DESK_H
#define VMCTL_DESK_H

#include <linux/types.h>

struct file;
struct vmctl_call;

/**
 * struct vmctl_desk - one argument, for the time of one command
 * @file: what is mapped; it holds @pages
 * @data: the copy, to be read and edited before KVM is given @user; there is
 *        room up to the end of its last page
 * @size: its bytes
 * @user: where it stands in the caller's address space, read-only
 */
struct vmctl_desk {
	struct file *file;
	void *data;
	size_t size;
	unsigned long user;
};

int vmctl_desk_open(struct vmctl_desk *desk, const void __user *from,
		    size_t size);
int vmctl_desk_lay_out(struct vmctl_desk *desk);
bool vmctl_desk_close(struct vmctl_desk *desk);
typedef int (*vmctl_desk_check)(struct vmctl_call *call,
				struct vmctl_desk *desk);

long vmctl_desk_call(struct vmctl_call *call, size_t size,
		     vmctl_desk_check check);

#endif /* VMCTL_DESK_H */
