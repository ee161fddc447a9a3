# SPDX-License-Identifier: GPL-2.0
# Sleeps through sixteen periodic interrupts of the real-time clock, 64 a second.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"
	.set	wanted, 16

start:	call	pic_start
	handle	rtc_line, tick
	rtc_set	0x0a, 0x2a		# 32768 Hz, divided by 512
	rtc_interrupts rtc_periodic
	unmask	1 << rtc_line | 1 << 2
next:	cli
	cmpb	$wanted, ticks
	jae	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	next
1:	rtc_quiet
	say	"16 ticks\n"
	end

tick:	push	%eax
	rtc_get	0x0c			# which also lets the next one come
	and	$0x80 | rtc_periodic, %al
	movzx	%al, %eax
	expect	0x80 | rtc_periodic, "register C"
	incb	ticks
	eoi_both
	pop	%eax
	iret

ticks:	.byte	0
