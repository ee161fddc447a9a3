# SPDX-License-Identifier: GPL-2.0
# Polls the serial port and repeats each line, until a line is just q. Without input for three
# seconds of the ACPI timer it ends with status 2.
	.include "print.inc"
	.include "uart.inc"
	.set	acpi_timer, 0x608
	.set	patience, 3 * 3579545
	.set	room, 80

start:	mov	$line, %di
next:	call	get
	cmp	$line + room, %di
	je	1f
	stosb
1:	cmp	$'\n', %al
	jne	next
	cmpw	$'q' + ('\n' << 8), line
	je	done
	say	"> "
	mov	$line, %si
2:	lodsb
	call	put
	cmp	%si, %di
	jne	2b
	jmp	start
done:	say	"done\n"
	end

# A byte, to al.
get:	mov	$acpi_timer, %dx
	in	(%dx), %eax
	mov	%eax, %ebx
1:	uart_get com1 + uart_lsr
	test	$0x01, %al
	jnz	2f
	mov	$acpi_timer, %dx
	in	(%dx), %eax
	sub	%ebx, %eax
	and	$0xffffff, %eax
	cmp	$patience, %eax
	jb	1b
	say	"nothing came\n"
	mov	$2, %al
	out	%al, $debug_exit
	cli
	hlt
2:	uart_get com1
	ret

line:	.fill	room, 1, 0
