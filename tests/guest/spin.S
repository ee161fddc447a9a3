# SPDX-License-Identifier: GPL-2.0
# Does nothing, for ever, and never leaves the guest.
	.code16
next:	jmp	next
