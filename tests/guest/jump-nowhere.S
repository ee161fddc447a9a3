# SPDX-License-Identifier: GPL-2.0
# Jumps to 0xf0000: with --mem 64K there is nothing to execute, and KVM gives up.
	.code16
	ljmp	$0xf000, $0
