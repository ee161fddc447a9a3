# SPDX-License-Identifier: GPL-2.0
# Starts the second processor by INIT and SIPI; then both print in turn, three times each.
	.include "print.inc"
	.set	turns, 3
	.set	trampoline, 0x2000	# the start of a page, below 1 MiB
	.set	lapic_spurious, 0xfee000f0
	.set	lapic_command, 0xfee00300
	.set	others, 0x000c0000	# all but this one
	.set	init, 0x4500
	.set	startup, 0x4600 | trampoline >> 12

	# Waits for a turn of the processor, then prints.
	.macro	take_turns number, text:vararg
	mov	$turns, %cx
1:	pause
	cmpb	$\number, turn
	jne	1b
	say	\text
	xorb	$1, turn
	loop	1b
	.endm

start:	call	flat_fs
	mov	$lapic_spurious, %ebx
	movl	$0x1ff, %fs:(%ebx)	# the local APIC is on
	mov	$others | init, %eax
	call	send
	mov	$others | startup, %eax
	call	send
	call	send
	take_turns 0, "first\n"
1:	pause
	cmpb	$0, turn		# the other one has printed its last
	jne	1b
	end

# A command in eax to the other processors, once the one before has gone.
send:	mov	$lapic_command, %ebx
1:	testl	$0x1000, %fs:(%ebx)
	jnz	1b
	mov	%eax, %fs:(%ebx)
	ret

# Gives fs all 4 GiB: its limit stays when real mode comes back.
flat_fs:
	cli
	lgdt	gdt_pointer
	mov	%cr0, %eax
	or	$0x01, %al
	mov	%eax, %cr0
	mov	$0x08, %bx
	mov	%bx, %fs
	and	$0xfe, %al
	mov	%eax, %cr0
	ret

turn:	.byte	0
	.balign	8
gdt:	.quad	0
	.quad	0x00cf92000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

# The second processor begins here, with cs:ip 0x200:0.
	.org	trampoline - 0x1000
	ljmp	$0, $second
second:	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$trampoline, %sp	# what precedes it is empty
	cld
	take_turns 1, "second\n"
1:	cli
	hlt
	jmp	1b
