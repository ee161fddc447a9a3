# SPDX-License-Identifier: GPL-2.0
# Prints date and time as the real-time clock has them, read twice while no update is under way.
	.include "print.inc"
	.include "rtc.inc"
	.set	fields, 7

	# A field of the reading, and what follows it.
	.macro	field number, then
	mov	reading + \number, %al
	call	put_hex
	mov	$\then, %al
	call	put
	.endm

start:	rtc_get	0x0b
	and	$0x06, %al
	movzx	%al, %eax
	expect	rtc_24_hours, "24 hours, BCD"
again:	mov	$reading, %di
	call	read_clock
	mov	$second_reading, %di
	call	read_clock
	mov	$reading, %si
	mov	$second_reading, %di
	mov	$fields, %cx
	repe	cmpsb
	jne	again
	mov	reading, %al
	call	put_hex
	field	1, '-'
	field	2, '-'
	field	3, ' '
	field	4, ':'
	field	5, ':'
	field	6, '\n'
	end

read_clock:
	rtc_get	0x0a
	test	$0x80, %al		# UIP
	jnz	read_clock
	mov	$registers, %si
	mov	$fields, %cx
1:	lodsb
	out	%al, $0x70
	in	$0x71, %al
	stosb
	loop	1b
	ret

registers:
	.byte	0x32, 0x09, 0x08, 0x07, 0x04, 0x02, 0x00	# century to second
reading:
	.fill	fields, 1, 0
second_reading:
	.fill	fields, 1, 0
