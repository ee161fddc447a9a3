# SPDX-License-Identifier: GPL-2.0
# Ports in all widths and with a repeat count: prints OK when every unclaimed read gave ones.
	.code16
	.set	unclaimed, 0x300
	.set	items, 5
	cld
	mov	$unclaimed, %dx
	mov	$0x12345678, %eax
	out	%al, (%dx)
	out	%ax, (%dx)
	out	%eax, (%dx)

	xor	%eax, %eax
	in	(%dx), %al
	cmp	$0xff, %eax
	jne	bad
	xor	%eax, %eax
	in	(%dx), %ax
	cmp	$0xffff, %eax
	jne	bad
	xor	%eax, %eax
	in	(%dx), %eax
	cmp	$0xffffffff, %eax
	jne	bad

	mov	$buffer, %di
	mov	$items, %cx
	rep	insb
	mov	$buffer, %si
	mov	$items, %cx
check:	lodsb
	cmp	$0xff, %al
	jne	bad
	loop	check
	cmpb	$0, buffer + items	# and not one more
	jne	bad

	mov	$0x3f8, %dx
	mov	$ok, %si
	mov	$3, %cx
	rep	outsb
	hlt
bad:	mov	$1, %al
	out	%al, $0xf4
	hlt
ok:	.ascii	"OK\n"
buffer:	.fill	items + 1, 1, 0
