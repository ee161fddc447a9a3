# SPDX-License-Identifier: GPL-2.0-only
# Halts at once.
	.code16
	hlt
