# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cache of Debian packages, sourced by the scripts that need one. Packages
# are unpacked there and never installed; the package sources of the host stay
# as they are.
#
#   apt/SUITE/         a private apt for the suite
#   kernels/RELEASE/   see scripts/kernel
#   qemu/              see scripts/qemu
#   root/SUITE/        see scripts/kernel

cache=${VMCTL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmctl}

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# Debian's code name of this host, nothing elsewhere.
host_codename() {
	(
		. /etc/os-release
		[ "$ID" != debian ] || echo "$VERSION_CODENAME"
	)
}

# One at a time: the others wait and then find the work done. What is fetched
# grows in $partial and is renamed when it is whole.
lock_cache() {
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock -n 9 || { say "waiting for another run to finish with $cache"; flock 9; }
	partial=$cache/partial
	rm -rf "$partial"
	mkdir "$partial"
}

# Where the host fetches a suite of Debian from, or from Debian itself.
mirror() {
	local suite=$1 default=$2 uri
	uri=$(apt-get indextargets --format "\$(CODENAME) \$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
		awk -v suite="$suite" '$1 == suite { print $2; exit }') || true
	echo "${uri:-$default}"
}

# Directs apt_get and apt_cache to one suite of Debian: its base with the
# updates, or its backports alone.
use_suite() {
	local suite=$1 base=${1%-backports} archive security keys
	apt_home=$cache/apt/$suite
	mkdir -p "$apt_home"/{lists/partial,archives/partial}
	archive=$(mirror "$base" http://deb.debian.org/debian)
	security=$(mirror "$base-security" http://deb.debian.org/debian-security)
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e "$keys" ] || die "$keys is missing: install debian-archive-keyring"
	{
		echo "deb [arch=amd64 signed-by=$keys] $archive $suite main"
		if [ "$suite" = "$base" ]; then
			echo "deb [arch=amd64 signed-by=$keys] $archive $suite-updates main"
			echo "deb [arch=amd64 signed-by=$keys] $security $suite-security main"
		fi
	} >"$apt_home/sources.list"
	: >>"$apt_home/status"
	apt_options=(
		-q -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
		-o Dir::Etc::SourceList="$apt_home/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o Dir::State::Lists="$apt_home/lists" -o Dir::State::Status="$apt_home/status"
		-o Dir::Cache="$apt_home"
	)
	say "reading Debian's list of packages for $suite"
	apt_get update
}

apt_get() { apt-get "${apt_options[@]}" "$@" >&2; }

apt_cache() { apt-cache "${apt_options[@]}" "$@"; }

# The packages that the named ones depend on, themselves included; a choice
# counts with its first alternative only.
closure() {
	apt_cache depends --recurse --no-recommends --no-suggests --no-conflicts \
		--no-breaks --no-replaces --no-enhances "$@" |
		awk '/^[a-z0-9]/ { print $1 }' | sort -u
}

# Unpacks packages of the suite in use into a directory.
unpack() {
	local into=$1 debs=$partial/debs
	shift
	say "fetching $*"
	mkdir -p "$debs" "$into"
	(cd "$debs" && apt_get download "$@") || die "apt-get could not fetch the packages"
	for deb in "$debs"/*.deb; do
		dpkg -x "$deb" "$into"
	done
	rm -rf "$debs"
}
