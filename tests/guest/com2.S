# SPDX-License-Identifier: GPL-2.0
# Prints a line on each of the two serial ports.
	.include "print.inc"
	.include "uart.inc"

start:	mov	$text, %si
1:	lodsb
	test	%al, %al
	jz	3f
	mov	%al, %ah
2:	uart_get com2 + uart_lsr
	test	$0x20, %al
	jz	2b
	mov	%ah, %al
	mov	$com2, %dx
	out	%al, (%dx)
	jmp	1b
3:	say	"this is COM1\n"
	end

text:	.asciz	"this is COM2\n"
