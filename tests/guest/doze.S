# SPDX-License-Identifier: GPL-2.0
# Prints a dot, then waits for interrupts that never come.
	.code16
	mov	$'.', %al
	mov	$0x3f8, %dx
	out	%al, (%dx)
	sti
1:	hlt
	jmp	1b
