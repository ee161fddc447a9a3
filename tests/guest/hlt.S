# SPDX-License-Identifier: GPL-2.0
# Halts at once.
	.code16
	hlt
