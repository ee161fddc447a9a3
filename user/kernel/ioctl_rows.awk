# SPDX-License-Identifier: GPL-2.0
#
# Reads headers as "cc -E -dD" gives them, and writes a row for each command
# that they name: ROW(KVM_GET_REGS, "struct kvm_regs", "linux/kvm.h"). Commands
# of other processors, whose structures are not in this one's headers, have no
# number here and are left out.

# Where the next lines stand: # 13 "/usr/include/linux/kvm.h" 2 3 4
/^# [0-9]+ "/ {
	file = $3
	gsub(/"/, "", file)
	header = match(file, /[^\/]+\/[^\/]+$/) ? substr(file, RSTART) : file
	next
}

/^struct [A-Za-z_0-9]+ *\{?$/ { complete["struct " $2] = 1 }
/^union [A-Za-z_0-9]+ *\{?$/ { complete["union " $2] = 1 }

/^#undef / { delete argument[$2] }

$1 == "#define" && $2 ~ /^(KVM|VMCTL)_[A-Z_0-9a-z]+$/ && $3 ~ /^_IO[RW]*\(/ &&
header ~ /^(linux|asm)\/(kvm|vmctl)\.h$/ {
	text = $0
	sub(/^[^(]*\(/, "", text)
	sub(/\)$/, "", text)
	fields = split(text, field, / *, */)
	if (!($2 in argument))
		order[++count] = $2
	argument[$2] = fields > 2 ? field[3] : ""
	origin[$2] = header
	next
}

END {
	print "/* SPDX-License-Identifier: GPL-2.0 */"
	for (i = 1; i <= count; i++) {
		name = order[i]
		if (!(name in argument))
			continue
		if (argument[name] ~ /^(struct|union) / && !(argument[name] in complete))
			continue
		printf "ROW(%s, \"%s\", \"%s\")\n", name, argument[name], origin[name]
	}
}
