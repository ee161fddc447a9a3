/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands that the installed headers name, with the numbers that a C
 * compiler gives them: in C++ some of the headers' structures have another
 * size. In C, shared with C++; read it through kernel/ioctl_names.hpp.
 */
#ifndef VMCTL_IOCTL_TABLE_H
#define VMCTL_IOCTL_TABLE_H

#ifdef __cplusplus
extern "C" {
#endif

struct vmctl_ioctl_row {
	unsigned int number;
	const char *name;     /* "KVM_GET_REGS" */
	const char *argument; /* "struct kvm_regs"; "" where it has none */
	const char *header;   /* "linux/kvm.h" */
};

/* As they stand in the headers; ends with a row without a name. */
extern const struct vmctl_ioctl_row vmctl_ioctl_rows[];

#ifdef __cplusplus
}
#endif

#endif
