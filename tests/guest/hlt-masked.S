# SPDX-License-Identifier: GPL-2.0
# Halts for good: an interrupt is pending, but they are off.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"

start:	call	pic_start
	rtc_set	0x0a, 0x2a		# 64 Hz
	unmask	1 << rtc_line | 1 << 2
	rtc_interrupts rtc_periodic
1:	pic_state 0xa0, 0x0a
	test	$1 << (rtc_line - 8), %al
	jz	1b
	say	"pending\n"
	cli
	hlt
	fail	"FAIL: woken\n"
