# SPDX-License-Identifier: GPL-2.0
# An image of exactly 712288 bytes that prints what stands at its end.
	.code16
	.set	at, 0x1000
	.set	size, 712288
	.set	text_size, 48
start:	mov	$(at + size - text_size) / 16, %ax
	mov	%ax, %ds
	mov	$(at + size - text_size) % 16, %si
	mov	$0x3f8, %dx
next:	lodsb
	test	%al, %al
	jz	done
	out	%al, (%dx)
	jmp	next
done:	hlt
	.org	size - text_size, 0x90
	.asciz	"the last of 712288 bytes are here\n"
	.org	size
