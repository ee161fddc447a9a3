# SPDX-License-Identifier: GPL-2.0
# Prints by interrupts alone: sixteen bytes, a FIFO full, whenever the UART asks for more (line 4).
	.include "print.inc"
	.include "pic.inc"
	.include "uart.inc"
	.set	fifo_size, 16

start:	call	pic_start
	handle	4, empty
	uart_set com1 + uart_fcr, 0x07	# FIFOs on and empty
	mov	$com1 + uart_iir, %dx
	xor	%eax, %eax
	in	(%dx), %al
	expect	0xc1, "IIR: FIFOs, no interrupt"
	uart_set com1 + uart_mcr, mcr_interrupts
	mov	$text, %si
	unmask	1 << 4
	uart_set com1 + uart_ier, ier_sent
next:	cli
	cmp	$text + text_size, %si
	je	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	next
1:	uart_set com1 + uart_ier, 0
	movzbl	fillings, %eax
	expect	3, "fillings"
	end

# si: what is to be sent.
empty:	push	%eax
	push	%cx
	push	%dx
	mov	$com1 + uart_iir, %dx
	xor	%eax, %eax
	in	(%dx), %al
	expect	0xc2, "IIR: FIFOs, room to send"
	cmp	$text + text_size, %si
	je	1f
	mov	$com1, %dx
	mov	$fifo_size, %cx
	rep	outsb
	incb	fillings
1:	eoi
	pop	%dx
	pop	%cx
	pop	%eax
	iret

fillings:
	.byte	0
text:	.ascii	"forty-eight bytes, by interrupts, sixteen each.\n"
	.set	text_size, . - text
	.if	text_size != 3 * fifo_size
	.error	"the text is three FIFOs long"
	.endif
