# SPDX-License-Identifier: GPL-2.0
# Prints as a driver does that knows its UART: sets 115200 8n1, waits for THRE before each byte.
	.code16
	.set	port, 0x3f8
	mov	$port + 3, %dx		# LCR: DLAB
	mov	$0x80, %al
	out	%al, (%dx)
	mov	$port, %dx		# divisor 1, in one word
	mov	$1, %ax
	out	%ax, (%dx)
	mov	$port + 3, %dx		# LCR: 8n1
	mov	$0x03, %al
	out	%al, (%dx)
	mov	$text, %si
next:	lodsb
	test	%al, %al
	jz	done
	mov	%al, %ah
	mov	$port + 5, %dx		# LSR
wait:	in	(%dx), %al
	test	$0x20, %al
	jz	wait
	mov	%ah, %al
	mov	$port, %dx
	out	%al, (%dx)
	jmp	next
done:	hlt
text:	.asciz	"115200 8n1\n"
