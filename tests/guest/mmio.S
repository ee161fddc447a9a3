# SPDX-License-Identifier: GPL-2.0
# Memory that is not there, at 0xf0000 with --mem 64K: writes are lost, reads give ones; prints OK.
	.code16
	mov	$0xf000, %ax
	mov	%ax, %es
	mov	$0x12345678, %eax
	mov	%al, %es:0
	mov	%ax, %es:2
	mov	%eax, %es:4

	xor	%eax, %eax
	mov	%es:0, %al
	cmp	$0xff, %eax
	jne	bad
	xor	%eax, %eax
	mov	%es:2, %ax
	cmp	$0xffff, %eax
	jne	bad
	mov	%es:4, %eax
	cmp	$0xffffffff, %eax
	jne	bad

	mov	$0x3f8, %dx
	mov	$'O', %al
	out	%al, (%dx)
	mov	$'K', %al
	out	%al, (%dx)
	mov	$'\n', %al
	out	%al, (%dx)
	hlt
bad:	mov	$1, %al
	out	%al, $0xf4
	hlt
