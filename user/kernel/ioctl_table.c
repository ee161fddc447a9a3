/* SPDX-License-Identifier: GPL-2.0 */
#include "kernel/ioctl_table.h"

#include <linux/kvm.h>
#include <linux/vmctl.h>
#include <stddef.h>

#define ROW(name, argument, header) {name, #name, argument, header},

const struct vmctl_ioctl_row vmctl_ioctl_rows[] = {
#include "ioctl_rows.inc"
	{0, NULL, NULL, NULL},
};
