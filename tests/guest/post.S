# SPDX-License-Identifier: GPL-2.0
# Tells on port 0x80 how far it has come, as firmware does, and reads the last code back.
	.include "print.inc"

start:	mov	$0x01, %al
	out	%al, $0x80
	mov	$0xaa, %al
	out	%al, $0x80
	xor	%eax, %eax
	in	$0x80, %al
	expect	0xaa, "the last code"
	say	"two POST codes\n"
	end
