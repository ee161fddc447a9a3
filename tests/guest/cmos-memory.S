# SPDX-License-Identifier: GPL-2.0
# Prints the sizes of memory that the CMOS tells: KiB below 1 MiB, KiB from there on, as
# far as 16 MiB and as far as 64 MiB, blocks of 64 KiB from 16 MiB on; in hexadecimal.
	.include "print.inc"
	.include "rtc.inc"

	# A size in two registers.
	.macro	size low, text:vararg
	say	\text
	rtc_get	\low + 1
	call	put_hex
	rtc_get	\low
	call	put_hex
	.endm

start:	size	0x15, "base "
	size	0x17, " extended "
	size	0x30, " "
	size	0x34, " above 16 MiB "
	say	"\n"
	end
