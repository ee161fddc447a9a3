# SPDX-License-Identifier: GPL-2.0
# Resets the machine by port 0xcf9, first what kind of reset, then when.
	.include "print.inc"

start:	say	"reset\n"
	mov	$0xcf9, %dx
	mov	$0x02, %al
	out	%al, (%dx)
	mov	$0x06, %al
	out	%al, (%dx)
	xor	%cx, %cx		# a real one takes its time
1:	loop	1b
	fail	"FAIL: still here\n"
