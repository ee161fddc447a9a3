# SPDX-License-Identifier: GPL-2.0
# Adds al and bl and prints the sum as one digit and a newline; twelve bytes in all.
	.code16
	mov	$0x3f8, %dx
	add	%bl, %al
	add	$'0', %al
	out	%al, (%dx)
	mov	$'\n', %al
	out	%al, (%dx)
	hlt
