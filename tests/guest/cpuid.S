# SPDX-License-Identifier: GPL-2.0
# Prints the processor vendor and, where the hypervisor bit is set, the hypervisor signature.
	.include "print.inc"

	# The four bytes of a register.
	.macro	letters register
	mov	\register, %eax
	call	put_letters
	.endm

start:	say	"vendor "
	xor	%eax, %eax
	cpuid
	letters	%ebx
	letters	%edx
	letters	%ecx
	say	"\n"
	mov	$1, %eax
	cpuid
	test	%ecx, %ecx		# bit 31: a hypervisor
	js	1f
	say	"no hypervisor\n"
	end
1:	say	"hypervisor "
	mov	$0x40000000, %eax
	cpuid
	letters	%ebx
	letters	%ecx
	letters	%edx
	say	"\n"
	end

# The bytes of eax, the lowest first, up to a zero.
put_letters:
	push	%cx
	mov	$4, %cx
1:	test	%al, %al
	jz	2f
	call	put
	shr	$8, %eax
	loop	1b
2:	pop	%cx
	ret
