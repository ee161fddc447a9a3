# SPDX-License-Identifier: GPL-2.0
# Says that it is ready, and then repeats each byte that it is sent, between [ and ]; q ends it.
	.include "print.inc"
	.include "uart.inc"

start:	say	"ready\n"
next:	uart_get com1 + uart_lsr
	test	$0x01, %al
	jz	next
	uart_get com1
	mov	%al, %bl
	mov	$'[', %al
	call	put
	mov	%bl, %al
	call	put
	mov	$']', %al
	call	put
	cmp	$'q', %bl
	jne	next
	say	"bye\n"
	end
