# SPDX-License-Identifier: GPL-2.0
# Line 8 is masked while it waits to be taken: it does not come. Whether a spurious interrupt does
# is up to the chips: none where the first one lets its request go with the second, line 7 or 15
# where it keeps it; that one is in service nowhere.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"

start:	call	pic_start
	handle	7, spurious_7
	handle	15, spurious_15
	rtc_set	0x0a, 0x2a		# 64 Hz
	unmask	1 << rtc_line | 1 << 2
	rtc_interrupts rtc_periodic
1:	pic_state 0x20, 0x0a
	test	$1 << 2, %al
	jz	1b
	mov	$0xff, %al
	out	%al, $0xa1
	let_in
	pic_state 0x20, 0x0b
	expect	0, "in service at the end"
	rtc_quiet
	mov	spurious, %al
	call	put_hex
	say	" spurious\n"
	end

spurious_15:
	push	%eax
	pic_state 0xa0, 0x0b
	expect	0, "in service on the second chip"
	eoi				# the first chip thinks that the second has one
	incb	spurious
	pop	%eax
	iret

spurious_7:
	push	%eax
	pic_state 0x20, 0x0b
	expect	0, "in service on the first chip"
	incb	spurious
	pop	%eax
	iret

spurious:
	.byte	0
