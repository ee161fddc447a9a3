# SPDX-License-Identifier: GPL-2.0
# The ACPI timer: 24 bits, moving, and never backwards, but for its wrapping round.
	.include "print.inc"
	.set	acpi_timer, 0x608
	.set	readings, 1000

start:	mov	$acpi_timer, %dx
	in	(%dx), %eax
	mov	%eax, %ebx		# the first
	mov	%eax, %esi		# the one before
	mov	$readings, %cx
next:	in	(%dx), %eax
	mov	%eax, %edi
	shr	$24, %eax
	expect	0, "bits 24 to 31"
	mov	%edi, %eax
	sub	%esi, %eax
	shr	$23, %eax
	and	$1, %eax
	expect	0, "readings that go back"
	mov	%edi, %esi
	loop	next
	cmp	%ebx, %esi
	je	still
	say	"1000 readings, none back\n"
	end
still:	fail	"FAIL: it stands still\n"
