# SPDX-License-Identifier: GPL-2.0
# Resets the machine by the keyboard controller, whose pulse command 0xfe lets its line for reset go down.
	.include "print.inc"

start:	say	"reset\n"
1:	in	$0x64, %al
	test	$0x02, %al		# it has not yet read what it was told last
	jnz	1b
	mov	$0xfe, %al
	out	%al, $0x64
	xor	%cx, %cx		# a real one takes its time
1:	loop	1b
	fail	"FAIL: still here\n"
