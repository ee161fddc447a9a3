# SPDX-License-Identifier: GPL-2.0
# Switches the machine off as an operating system does: root pointer, RSDT, FADT, PM1 control.
	.include "print.inc"
	.set	fadt_pm1_control, 64
	.set	fadt_flags, 112
	.set	s5, 5 << 10		# as \_S5 in the DSDT says
	.set	sleep_enable, 1 << 13

start:	mov	$0xe000, %ax		# the root pointer is at a multiple of 16 in the BIOS area
1:	mov	%ax, %es
	cmpl	$0x20445352, %es:0	# "RSD PTR "
	jne	2f
	cmpl	$0x20525450, %es:4
	je	found
2:	inc	%ax
	jnz	1b
	fail	"FAIL: no root pointer\n"

found:	mov	$20, %cx
	call	checksum
	mov	%es:16, %eax		# the RSDT
	call	table
	mov	%es:4, %cx
	sub	$36, %cx
	shr	$2, %cx			# so many tables
	mov	$36, %bx
	mov	%es, %dx
3:	mov	%dx, %es
	mov	%es:(%bx), %eax
	call	table
	cmpl	$0x50434146, %es:(%di)	# "FACP"
	je	off
	add	$4, %bx
	loop	3b
	fail	"FAIL: no FADT\n"

off:	mov	%es:fadt_pm1_control(%di), %edx
	in	(%dx), %ax
	movzwl	%ax, %eax
	and	$1, %eax
	expect	1, "ACPI is on"
	say	"switched off by what the tables say\n"
	mov	$s5, %ax
	out	%ax, (%dx)
	or	$sleep_enable, %ax
	out	%ax, (%dx)
	xor	%cx, %cx		# a real one takes its time
4:	loop	4b
	fail	"FAIL: still here\n"

# The table at eax to es:di, its sum checked. Those in the BIOS area are below 1 MiB, at multiples
# of 16.
table:	push	%cx
	shr	$4, %eax
	mov	%ax, %es
	xor	%di, %di
	mov	%es:4, %cx
	call	checksum
	pop	%cx
	ret

# cx bytes at es:0.
checksum:
	push	%bx
	xor	%bx, %bx
	xor	%eax, %eax
1:	add	%es:(%bx), %al
	inc	%bx
	loop	1b
	expect	0, "a checksum"
	pop	%bx
	ret
