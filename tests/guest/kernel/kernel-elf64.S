# SPDX-License-Identifier: GPL-2.0
# A plain ELF executable of 64 bits: starts in long mode, with a stack, zeroed registers and the
# first 4 GiB mapped.
	.code64
	.include "kernel.inc"
	.global	start
start:	test	$0xf, %esp
	jnz	bad
	or	%rbx, %rax
	expect	%rax, 0, "registers are not zero\n"
	mov	%cr0, %rax
	shr	$31, %rax
	expect	%rax, 1, "paging is off\n"
	mov	$1, %eax
	shl	$32, %rax		# 64 bits, and not 32
	jz	bad
	mov	0xfee00020, %eax	# the local APIC, below 4 GiB
	movl	$0x1234, counter
	say	"64-bit ELF in long mode\n"
	end	0
bad:	end	2
	.bss
counter:
	.skip	4
