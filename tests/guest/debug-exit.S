# SPDX-License-Identifier: GPL-2.0
# Ends with the value of eax on the debug-exit port.
	.code16
	out	%eax, $0xf4
	hlt
