# SPDX-License-Identifier: GPL-2.0
# A plain ELF executable of 32 bits: starts in protected mode, with a stack and zeroed registers.
	.code32
	.include "kernel.inc"
	.global	start
start:	test	$0xf, %esp
	jnz	bad
	or	%ebx, %eax
	expect	%eax, 0, "registers are not zero\n"
	mov	%cr0, %eax
	and	$0x80000001, %eax	# PG, PE
	expect	%eax, 1, "not in protected mode\n"
	say	"32-bit ELF in protected mode\n"
	end	0
bad:	end	2
