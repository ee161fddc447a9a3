# SPDX-License-Identifier: GPL-2.0
# Counts on port 0x10, for ever.
	.code16
	xor	%ax, %ax
next:	out	%ax, $0x10
	inc	%ax
	jmp	next
