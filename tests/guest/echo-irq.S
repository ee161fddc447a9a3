# SPDX-License-Identifier: GPL-2.0
# Sleeps until the serial port has something (line 4), and repeats each line, until one is just q.
	.include "print.inc"
	.include "pic.inc"
	.include "uart.inc"
	.set	room, 256		# as far as a byte counts

start:	call	pic_start
	handle	4, received
	uart_set com1 + uart_fcr, 0x07	# FIFOs on and empty, an interrupt for each byte
	uart_set com1 + uart_mcr, mcr_interrupts
	uart_set com1 + uart_ier, ier_received
	unmask	1 << 4
	xor	%bx, %bx		# bl: the next byte to take; bh stays 0
new_line:
	mov	$line, %di
next:	cli
	cmp	%bl, filled
	jne	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	next
1:	sti
	mov	ring(%bx), %al
	inc	%bl
	cmp	$line + room, %di
	je	2f
	stosb
2:	cmp	$'\n', %al
	jne	next
	cmpw	$'q' + ('\n' << 8), line
	je	done
	say	"> "
	mov	$line, %si
3:	lodsb
	call	put
	cmp	%si, %di
	jne	3b
	jmp	new_line
done:	say	"done\n"
	end

received:
	push	%ax
	push	%bx
	push	%dx
1:	uart_get com1 + uart_iir	# until it has no more reasons
	test	$0x01, %al
	jnz	3f
2:	uart_get com1 + uart_lsr
	test	$0x01, %al
	jz	1b
	uart_get com1
	movzbw	filled, %bx
	mov	%al, ring(%bx)
	incb	filled
	jmp	2b
3:	eoi
	pop	%dx
	pop	%bx
	pop	%ax
	iret

filled:	.byte	0
line:	.fill	room, 1, 0
ring:	.fill	256, 1, 0
