# SPDX-License-Identifier: GPL-2.0
# The ACPI timer goes forward until it wraps round at 24 bits, within five seconds.
	.include "print.inc"
	.set	acpi_timer, 0x608

start:	mov	$acpi_timer, %dx
	in	(%dx), %eax
	mov	%eax, %esi		# the reading before
next:	in	(%dx), %eax
	mov	%eax, %edi
	shr	$24, %eax
	expect	0, "bits 24 to 31"
	mov	%edi, %eax
	sub	%esi, %eax
	shr	$23, %eax		# half of all it can count
	and	$1, %eax
	expect	0, "readings that go back"
	cmp	%esi, %edi
	mov	%edi, %esi
	jae	next
	say	"wrapped round at 24 bits\n"
	end
