# SPDX-License-Identifier: GPL-2.0
# A multiboot kernel in an ELF file: prints its command line and the name of its first module.
	.set	magic, 0x1badb002
	.set	flags, 0x3		# modules on pages, memory information
	.section .multiboot, "ax"
	.balign	4
	.long	magic, flags, -(magic + flags)
	.text
	.code32
	.include "kernel.inc"
	.global	start
start:	mov	$stack, %esp
	cld
	expect	%eax, 0x2badb002, "not from a multiboot loader\n"
	mov	(%ebx), %ecx
	and	$0x4d, %ecx		# memory, command line, modules, memory map
	expect	%ecx, 0x4d, "something is missing\n"
	mov	20(%ebx), %ecx
	expect	%ecx, 1, "not one module\n"
	say	"multiboot: "
	mov	16(%ebx), %esi
	call	print
	say	"\nmodule: "
	mov	24(%ebx), %ecx
	mov	8(%ecx), %esi
	call	print
	say	"\n"
	end	0
