# SPDX-License-Identifier: GPL-2.0
# A plain ELF executable that writes to its text, and may not.
	.code64
	.include "kernel.inc"
	.global	start
start:	say	"text is read-only\n"
	movl	$0, start
	say	"or not\n"
	end	1
