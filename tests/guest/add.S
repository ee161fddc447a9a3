# SPDX-License-Identifier: GPL-2.0
# Adds al and bl and prints the sum as one digit: 4 when run with --reg rax=2 --reg rbx=2.
	.code16
	mov	$0x3f8, %dx
	add	%bl, %al
	add	$'0', %al
	out	%al, (%dx)
	hlt
