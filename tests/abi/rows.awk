# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the uapi header and writes one row for each macro with a value, each
# structure and each member: nothing that stands there can be left out.

# Comments go first; they may hold anything.
{
	line = held $0
	held = ""
	while ((start = index(line, "/*")) > 0) {
		end = index(substr(line, start + 2), "*/")
		if (end == 0) {
			held = substr(line, 1, start + 1)
			break
		}
		line = substr(line, 1, start - 1) " " substr(line, start + end + 3)
	}
	if (held != "")
		next
	$0 = line
}

/^#define[ \t]+VMCTL_/ { printf "VALUE(%s)\n", $2; next }

/^struct [a-z_0-9]+ \{/ { structure = $2; printf "STRUCTURE(%s)\n", structure; next }
/^\}/ { structure = ""; next }

structure != "" && /;/ {
	member = $0
	sub(/[ \t]*;.*/, "", member)
	sub(/\[.*/, "", member)
	sub(/.*[ \t*]/, "", member)
	printf "MEMBER(%s, %s)\n", structure, member
	next
}

# What this does not understand must not pass unseen.
/[^ \t]/ && !/^#(ifndef|endif|include)|^#define _UAPI_/ {
	printf "#error \"rows.awk: %s:%d\"\n", FILENAME, FNR
}
