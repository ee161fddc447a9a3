# SPDX-License-Identifier: GPL-2.0
# A plain ELF executable whose text has its GDT: the processor marks what it loads from there.
	.code32
	.include "kernel.inc"
	.global	start
start:	lgdt	pointer
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	ljmp	$8, $1f
1:	testb	$1, table + 16 + 5	# of the data; an emulator may not mark code
	jz	bad
	say	"a GDT in text\n"
	end	0
bad:	end	2
	.balign	8
table:	.quad	0, 0x00cf9a000000ffff, 0x00cf92000000ffff
pointer: .word	pointer - table - 1
	.long	table
