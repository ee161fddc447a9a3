# SPDX-License-Identifier: GPL-2.0
# An interrupt with an empty interrupt table: #GP, double fault, triple fault.
	.code16
	lidt	no_table
	int	$3
	hlt
no_table:
	.word	0
	.long	0
