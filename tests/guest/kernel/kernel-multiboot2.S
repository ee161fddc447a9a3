# SPDX-License-Identifier: GPL-2.0
# A Multiboot2 kernel that may be anywhere, and wants to be as low as can be: finds ACPI's tables,
# prints where it is and its command line.
	.set	magic, 0xe85250d6
	.section .multiboot, "ax"
	.balign	8
header:	.long	magic, 0, header_end - header, -(magic + header_end - header)
	.word	1, 0			# information request: command line, RSDP, load base
	.long	20, 1, 15, 21
	.balign	8, 0
	.word	10, 0			# relocatable: below 16 MiB
	.long	24, 0x100000, 0xffffff, 0x1000, 1
	.word	0, 0
	.long	8
header_end:
	.text
	.code32
	.global	start
	# No address is as it was linked: ebp is the difference.
start:	mov	%ebx, %edi
	lea	8(%ebx), %esp		# a word of stack, in one that is reserved
	call	1f
1:	pop	%ebp
	sub	$1b, %ebp
	lea	stack(%ebp), %esp
	cld
	cmp	$0x36d76289, %eax
	jne	fail
	xor	%edx, %edx
	lea	8(%edi), %ebx		# the first tag
next:	mov	(%ebx), %eax
	test	%eax, %eax
	jz	fail			# the end, and no load base
	cmp	$1, %eax
	jne	1f
	lea	8(%ebx), %ecx		# the command line
1:	cmp	$15, %eax
	jne	1f
	cmpl	$0x20445352, 8(%ebx)	# "RSD "
	jne	fail
	mov	32(%ebx), %edx		# XsdtAddress
	cmpl	$0x54445358, (%edx)	# "XSDT"
	jne	fail
1:	cmp	$21, %eax
	je	found
	mov	4(%ebx), %eax
	add	$7, %eax
	and	$~7, %eax
	add	%eax, %ebx
	jmp	next
found:	test	%edx, %edx
	jz	fail
	cmpl	$0x100000, 8(%ebx)
	jne	fail
	lea	first(%ebp), %esi
	call	print
	mov	%ecx, %esi
	call	print
	lea	last(%ebp), %esi
	call	print
	xor	%al, %al
	out	%al, $0xf4
	hlt
fail:	mov	$1, %al
	out	%al, $0xf4
	hlt

print:	lodsb
	test	%al, %al
	jz	2f
	mov	$0x3f8, %dx
	out	%al, (%dx)
	jmp	print
2:	ret

first:	.asciz	"multiboot2 at 1 MiB: "
last:	.asciz	"\n"
	.bss
	.balign	16
	.skip	4096
stack:
