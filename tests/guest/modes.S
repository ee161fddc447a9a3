# SPDX-License-Identifier: GPL-2.0
# From real mode through protected mode to long mode, printing a line from each.
	.include "print.inc"
	.set	code32, 0x08
	.set	code64, 0x10
	.set	data, 0x18
	.set	tables, 0x4000		# PML4, PDPT and PD: 2 MiB as they are
	.set	present_writable, 0x03
	.set	large_page, 0x80

	# The text at an address, whatever the mode; al, dx and esi are lost.
	.macro	write text
	mov	$\text, %esi
1:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, %ah
	mov	$serial + 5, %dx
2:	in	(%dx), %al
	test	$0x20, %al
	jz	2b
	mov	%ah, %al
	mov	$serial, %dx
	out	%al, (%dx)
	jmp	1b
3:
	.endm

start:	write	real
	cli
	lgdt	gdt_pointer
	mov	%cr0, %eax
	or	$0x01, %eax		# PE
	mov	%eax, %cr0
	ljmp	$code32, $protected_mode

	.code32
protected_mode:
	mov	$data, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	write	protected
	mov	$tables, %edi
	mov	$3 * 4096 / 4, %ecx
	xor	%eax, %eax
	rep	stosl
	movl	$tables + 0x1000 + present_writable, tables
	movl	$tables + 0x2000 + present_writable, tables + 0x1000
	movl	$large_page + present_writable, tables + 0x2000
	mov	%cr4, %eax
	or	$0x20, %eax		# PAE
	mov	%eax, %cr4
	mov	$tables, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	# EFER
	rdmsr
	or	$0x100, %eax		# LME
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax	# PG
	mov	%eax, %cr0
	ljmp	$code64, $long_mode

	.code64
long_mode:
	mov	$1, %eax
	shl	$32, %rax		# 64 bits, and not 32
	jz	1f
	write	long
	xor	%eax, %eax
	out	%al, $debug_exit
1:	mov	$1, %al
	out	%al, $debug_exit
	hlt

real:	.asciz	"real mode\n"
protected:
	.asciz	"protected mode\n"
long:	.asciz	"long mode\n"
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00af9a000000ffff
	.quad	0x00cf92000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
