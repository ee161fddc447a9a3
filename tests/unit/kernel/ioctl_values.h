/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of some macros as a C compiler has them where they are written
 * out one by one, to compare with the table that is made from the headers.
 */
#ifndef VMCTL_TEST_IOCTL_VALUES_H
#define VMCTL_TEST_IOCTL_VALUES_H

#ifdef __cplusplus
extern "C" {
#endif

struct ioctl_value {
	const char *name;
	unsigned int value;
};

/* Ends with a row without a name. */
extern const struct ioctl_value ioctl_values[];

#ifdef __cplusplus
}
#endif

#endif
