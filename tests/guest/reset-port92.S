# SPDX-License-Identifier: GPL-2.0
# Resets the machine by bit 0 of port 0x92.
	.include "print.inc"

start:	say	"reset\n"
	in	$0x92, %al
	or	$0x01, %al
	out	%al, $0x92
	xor	%cx, %cx		# a real one takes its time
1:	loop	1b
	fail	"FAIL: still here\n"
