# SPDX-License-Identifier: GPL-2.0
# Sleeps from one update of the real-time clock to the next: the seconds have changed.
	.include "print.inc"
	.include "pic.inc"
	.include "rtc.inc"

start:	call	pic_start
	handle	rtc_line, update
	rtc_interrupts rtc_update
	unmask	1 << rtc_line | 1 << 2
	call	sleep
	mov	second, %bl
	call	sleep
	cmp	%bl, second
	je	same
	rtc_quiet
	say	"two updates, another second\n"
	end
same:	fail	"FAIL: an update, and still the same second\n"

# Until the next update.
sleep:	cli
	cmpb	$0, updated
	jne	1f
	sti				# takes effect after hlt has begun
	hlt
	jmp	sleep
1:	movb	$0, updated
	ret

update:	push	%eax
	rtc_get	0x0c
	and	$0x80 | rtc_update, %al	# the other kinds are told, too
	movzx	%al, %eax
	expect	0x80 | rtc_update, "register C"
	rtc_get	0x00
	mov	%al, second
	movb	$1, updated
	eoi_both
	pop	%eax
	iret

second:	.byte	0
updated:
	.byte	0
