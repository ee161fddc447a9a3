# SPDX-License-Identifier: GPL-2.0
# Two interrupts pending, COM2 on line 3 and COM1 on line 4: the lower number first, one after the
# other even with interrupts on; after a rotation the higher one.
	.include "print.inc"
	.include "pic.inc"
	.include "uart.inc"
	.include "order.inc"

	# Makes both pending, and lets them come.
	.macro	both
	cli
	uart_set com1 + uart_ier, ier_sent
	uart_set com2 + uart_ier, ier_sent
	pic_state 0x20, 0x0a
	and	$1 << 3 | 1 << 4, %eax
	mov	%eax, %ebx
	let_in
	uart_set com1 + uart_ier, 0
	uart_set com2 + uart_ier, 0
	mov	%ebx, %eax
	expect	1 << 3 | 1 << 4, "lines pending"
	.endm

start:	call	pic_start
	handle	3, line_3
	handle	4, line_4
	uart_set com1 + uart_mcr, mcr_interrupts
	uart_set com2 + uart_mcr, mcr_interrupts
	unmask	1 << 3 | 1 << 4
	both
	expect_order '3' | 'e' << 8 | '4' << 16 | 'e' << 24, "order"
	mov	$0xc3, %al		# OCW2: line 3 is the lowest now
	out	%al, $0x20
	both
	expect_order '4' | 'e' << 8 | '3' << 16 | 'e' << 24, "order after the rotation"
	say	"3 then 4, and 4 then 3\n"
	end

line_3:	uart_get com2 + uart_iir
	note	'3'
	jmp	both_lines
line_4:	uart_get com1 + uart_iir
	note	'4'
both_lines:
	let_in				# none of lower priority
	note	'e'
	eoi
	iret
