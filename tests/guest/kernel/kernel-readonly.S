# SPDX-License-Identifier: GPL-2.0
# A plain ELF executable whose text fills a page that it may not write to, and does.
	.code64
	.include "kernel.inc"
	.global	start
start:	say	"text is read-only\n"
	movl	$0, start
	say	"or not\n"
	end	1
	.balign	4096
