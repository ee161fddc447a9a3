# SPDX-License-Identifier: GPL-2.0
# A multiboot kernel that is no ELF file: its header says where it goes. Its bss is behind the file.
	.set	magic, 0x1badb002
	.set	flags, 0x10000
	.text
	.code32
begin:	.balign	4
header:	.long	magic, flags, -(magic + flags)
	.long	header, begin, file_end, bss_end, start
	.include "kernel.inc"
	.global	start
start:	mov	$stack, %esp
	cld
	expect	%eax, 0x2badb002, "not from a multiboot loader\n"
	mov	counter, %ecx
	expect	%ecx, 0, "the bss is not zero\n"
	say	"multiboot by addresses\n"
	end	0
	.balign	4
file_end:
	.bss
counter:
	.skip	4
bss_end:
