# SPDX-License-Identifier: GPL-2.0
# What a guest starts with: real mode, and all segments zero.
	.include "print.inc"

	.macro	is_zero segment
	xor	%eax, %eax
	mov	%\segment, %ax
	expect	0, "\segment"
	.endm

start:	mov	%cr0, %eax
	and	$0x01, %eax
	expect	0, "protected mode"
	is_zero	cs
	is_zero	ds
	is_zero	es
	is_zero	fs
	is_zero	gs
	is_zero	ss
	say	"real mode, all segments zero\n"
	end
