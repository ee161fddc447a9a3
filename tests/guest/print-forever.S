# SPDX-License-Identifier: GPL-2.0
# Prints 'x' on the serial port, for ever.
	.code16
	mov	$0x3f8, %dx
	mov	$'x', %al
next:	out	%al, (%dx)
	jmp	next
