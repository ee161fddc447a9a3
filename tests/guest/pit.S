# SPDX-License-Identifier: GPL-2.0
# Sleeps through sixteen interrupts of the 8254's first channel, a hundred a second.
	.include "print.inc"
	.include "pic.inc"
	.set	wanted, 16
	.set	pit_line, 0
	.set	divisor, 1193182 / 100

start:	call	pic_start
	handle	pit_line, tick
	mov	$0x34, %al		# channel 0, both bytes, rate generator
	out	%al, $0x43
	mov	$divisor & 0xff, %al
	out	%al, $0x40
	mov	$divisor >> 8, %al
	out	%al, $0x40
	unmask	1 << pit_line
next:	cli
	cmpb	$wanted, ticks
	jae	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	next
1:	say	"16 ticks\n"
	end

tick:	push	%ax
	incb	ticks
	eoi
	pop	%ax
	iret

ticks:	.byte	0
