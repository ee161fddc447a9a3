# SPDX-License-Identifier: GPL-2.0
# The real-time clock (line 8, by way of line 2) and the serial port (line 4): of two pending ones
# the clock comes first; it interrupts the handler of the port, which never interrupts its.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"
	.include "uart.inc"
	.include "order.inc"

	# Waits until a chip has a line of its own pending.
	.macro	wait_pending chip, line
1:	pic_state \chip, 0x0a
	test	$1 << \line, %al
	jz	1b
	.endm

start:	call	pic_start
	handle	rtc_line, clock
	handle	4, port
	rtc_set	0x0a, 0x2a		# 64 Hz
	uart_set com1 + uart_mcr, mcr_interrupts
	unmask	1 << rtc_line | 1 << 2 | 1 << 4

	rtc_interrupts rtc_periodic
	uart_set com1 + uart_ier, ier_sent
	wait_pending 0xa0, 0
	wait_pending 0x20, 4
	let_in
	call	quiet
	expect_order 'C' | 'c' << 8 | 'P' << 16 | 'p' << 24, "both pending"
	say	"both pending: the clock first\n"

	movb	$1, clock_in_port
	uart_set com1 + uart_ier, ier_sent
	let_in
	call	quiet
	movb	$0, clock_in_port
	expect_order 'P' | 'C' << 8 | 'c' << 16 | 'p' << 24, "the clock in the handler of the port"
	say	"the clock interrupts the handler of the port\n"

	movb	$1, port_in_clock
	rtc_interrupts rtc_periodic
	sti
1:	cmpb	$'p', events + 3
	jne	1b
	cli
	call	quiet
	expect_order 'C' | 'c' << 8 | 'P' << 16 | 'p' << 24, "the port in the handler of the clock"
	say	"the port waits for the handler of the clock\n"
	end

quiet:	rtc_quiet
	uart_set com1 + uart_ier, 0
	ret

# Takes one interrupt and asks for no more.
clock:	push	%ax
	push	%dx
	push	%di
	note	'C'
	rtc_quiet
	cmpb	$0, port_in_clock
	je	2f
	uart_set com1 + uart_ier, ier_sent
	wait_pending 0x20, 4
	let_in
2:	note	'c'
	eoi_both
	pop	%di
	pop	%dx
	pop	%ax
	iret

port:	push	%ax
	push	%dx
	push	%di
	note	'P'
	uart_get com1 + uart_iir
	cmpb	$0, clock_in_port
	je	2f
	rtc_interrupts rtc_periodic
	sti
1:	cmpb	$'c', events + 2
	jne	1b
	cli
2:	note	'p'
	eoi
	pop	%di
	pop	%dx
	pop	%ax
	iret

clock_in_port:
	.byte	0
port_in_clock:
	.byte	0
