# SPDX-License-Identifier: GPL-2.0
# Counts from 1 to 10 on port 0x10, then halts: ten KVM_EXIT_IO and one KVM_EXIT_HLT.
	.code16
	xor	%ax, %ax
next:	inc	%ax
	out	%ax, $0x10
	cmp	$10, %ax
	jne	next
	hlt
