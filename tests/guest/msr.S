# SPDX-License-Identifier: GPL-2.0
# MSRs of the user's: one with a value, one that is written and read back, one that is neither, one
# for reading alone; and one that nobody has. What is not there gives #GP.
	.include "print.inc"
	.set	fixed, 0x10000
	.set	written, 0x10001
	.set	empty, 0x10002
	.set	read_only, 0x10003
	.set	missing, 0x10004

	# rdmsr or wrmsr, with the number of #GP it gave.
	.macro	try instruction, msr, faults, what:vararg
	movl	$0, protections
	mov	$\msr, %ecx
	\instruction
	push	%eax
	mov	protections, %eax
	expect	\faults, \what
	pop	%eax
	.endm

start:	vector	13, protection
	try	rdmsr, fixed, 0, "#GP when reading a value"
	expect	0x9abcdef0, "low half of the value"
	mov	%edx, %eax
	expect	0x12345678, "high half of the value"
	mov	$0x89abcdef, %eax
	mov	$0x01234567, %edx
	try	wrmsr, written, 0, "#GP when writing"
	xor	%eax, %eax
	xor	%edx, %edx
	try	rdmsr, written, 0, "#GP when reading back"
	expect	0x89abcdef, "low half of what was written"
	mov	%edx, %eax
	expect	0x01234567, "high half of what was written"
	try	rdmsr, empty, 1, "#GP when reading what was never written"
	try	rdmsr, read_only, 0, "#GP when reading"
	expect	5, "the value that is only read"
	try	wrmsr, read_only, 1, "#GP when writing what is only read"
	try	rdmsr, missing, 1, "#GP when reading what is not there"
	try	wrmsr, missing, 1, "#GP when writing what is not there"
	say	"two read, one written, four times #GP\n"
	end

# rdmsr and wrmsr have two bytes.
protection:
	push	%bp
	mov	%sp, %bp
	addw	$2, 2(%bp)
	incl	protections
	pop	%bp
	iret

protections:
	.long	0
