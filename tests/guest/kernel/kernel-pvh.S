# SPDX-License-Identifier: GPL-2.0
# An ELF file with a PVH entry: prints the command line out of hvm_start_info.
	.section .note, "a", @note
	.long	4, 4, 18		# XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	start
	.text
	.code32
	.include "kernel.inc"
	.global	start
start:	mov	$stack, %esp
	cld
	mov	(%ebx), %ecx
	expect	%ecx, 0x336ec578, "no hvm_start_info\n"
	mov	4(%ebx), %ecx
	expect	%ecx, 1, "not of version 1\n"
	mov	40(%ebx), %ecx		# the memory map, from 0 on
	mov	(%ecx), %ecx
	expect	%ecx, 0, "no memory at 0\n"
	say	"PVH: "
	mov	24(%ebx), %esi
	call	print
	say	"\n"
	end	0
