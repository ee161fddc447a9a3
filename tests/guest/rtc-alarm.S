# SPDX-License-Identifier: GPL-2.0
# Sleeps until the alarm at 03:05:00, and looks at the clock then.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"

start:	call	pic_start
	handle	rtc_line, alarm
	rtc_set	0x05, 0x03
	rtc_set	0x03, 0x05
	rtc_set	0x01, 0x00
	rtc_interrupts rtc_alarm
	unmask	1 << rtc_line | 1 << 2
next:	cli
	cmpb	$0, alarms
	jne	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	next
1:	rtc_quiet
	xor	%eax, %eax
	rtc_get	0x04
	expect	0x03, "hour"
	rtc_get	0x02
	expect	0x05, "minute"
	say	"alarm at 03:05:00\n"
	end

alarm:	push	%eax
	rtc_get	0x0c
	and	$0x80 | rtc_alarm, %al	# the other kinds are told, too
	movzx	%al, %eax
	expect	0x80 | rtc_alarm, "register C"
	incb	alarms
	eoi_both
	pop	%eax
	iret

alarms:	.byte	0
