# SPDX-License-Identifier: GPL-2.0
# The UART in loopback: what is sent comes back and goes nowhere else, the outputs for the modem
# are its inputs.
	.include "print.inc"
	.include "uart.inc"

	# The upper half of the modem status that a modem control gives.
	.macro	modem control, status, what:vararg
	uart_set com1 + uart_mcr, mcr_loopback | \control
	uart_get com1 + uart_msr
	and	$0xf0, %al
	movzx	%al, %eax
	mov	%eax, %ebx
	uart_set com1 + uart_mcr, 0	# so that a failure can be told
	mov	%ebx, %eax
	expect	\status, \what
	.endm

start:	modem	0x00, 0x00, "modem status"
	modem	0x01, 0x20, "DTR gives DSR"
	modem	0x02, 0x10, "RTS gives CTS"
	modem	0x04, 0x40, "OUT1 gives RI"
	modem	0x08, 0x80, "OUT2 gives DCD"
	uart_set com1 + uart_fcr, 0x07	# FIFOs on and empty
	uart_set com1 + uart_mcr, mcr_loopback
	mov	$bytes, %si
	mov	$com1, %dx
	mov	$byte_count, %cx
1:	lodsb
	out	%al, (%dx)
	mov	%al, %bl
	call	received
	cmp	%bl, %al
	loope	1b
	pushf
	uart_set com1 + uart_mcr, 0
	popf
	jne	differs
	say	"all came back\n"
	end
differs:
	fail	"FAIL: something else came back\n"

# The byte that has come, to al; zero if none comes.
received:
	push	%cx
	xor	%cx, %cx
1:	uart_get com1 + uart_lsr
	test	$0x01, %al
	loopz	1b
	mov	$com1, %dx
	in	(%dx), %al
	pop	%cx
	ret

bytes:	.byte	0x55, 0xaa, 0xff, 0x01, 0x80
	.set	byte_count, . - bytes
