# SPDX-License-Identifier: GPL-2.0
# An interrupt that comes while they are off stays pending, and is taken after sti; and hlt
# sleeps until one comes.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"

start:	call	pic_start
	handle	rtc_line, tick
	rtc_set	0x0a, 0x2a		# 64 Hz
	unmask	1 << rtc_line | 1 << 2
	rtc_interrupts rtc_periodic
1:	pic_state 0xa0, 0x0a
	test	$1 << (rtc_line - 8), %al
	jz	1b
	mov	ticks, %eax
	expect	0, "interrupts while they are off"
	sti				# who raised the line may not have told the processor yet
2:	cmpl	$0, ticks
	je	2b
	cli
	mov	ticks, %eax
	expect	1, "interrupts after sti"
	say	"taken after sti\n"
	handle	rtc_line, beat
	rtc_interrupts rtc_periodic
	sti
	hlt
	cli
	movzbl	beats, %eax
	expect	1, "interrupts go on after hlt"
	say	"woken from hlt\n"
	end

# One for each time that they are asked for.
tick:	push	%ax
	rtc_quiet
	incl	ticks
	eoi_both
	pop	%ax
	iret

# Again and again: QEMU's SVM forgets on an exit that sti is still to take effect, so that one
# interrupt may be taken before hlt.
beat:	push	%ax
	rtc_get	0x0c
	movb	$1, beats
	eoi_both
	pop	%ax
	iret

ticks:	.long	0
beats:	.byte	0
