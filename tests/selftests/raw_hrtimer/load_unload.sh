#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module can be loaded and removed, again and again, and says what it is.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

TIMES=20

# NAME: whether modinfo has it, and more than the name.  The file is searched as well, because
# busybox's modinfo takes no field behind a byte that is not 0, as the first may be.
info_has() {
	file=$(module_file raw_hrtimer || modinfo raw_hrtimer | sed -n 's/^filename: *//p')
	modinfo "$file" | grep -q "^$1: *[^ ]" ||
		{ [ -r "$file" ] && tr '\0' '\n' < "$file" | grep -qE "(^|[^a-z])$1=[^ ]"; }
}

licence_is_gpl() {
	modinfo "$(module_file raw_hrtimer || echo raw_hrtimer)" | grep -q '^license: *GPL$'
}

parameters() {
	modinfo "$(module_file raw_hrtimer || echo raw_hrtimer)" | sed -n 's/^parm: *\([^:]*\):.*/\1/p'
}

parameters_are_in_sysfs() {
	names=$(parameters)
	[ -n "$names" ] || return 1
	for name in $names; do
		say "$name = $(cat "/sys/module/raw_hrtimer/parameters/$name")" || return 1
		[ -r "/sys/module/raw_hrtimer/parameters/$name" ] || return 1
	done
}

again_and_again() {
	for _ in $(seq "$TIMES"); do
		load raw_hrtimer || return 1
		[ -r "$RHT/rate" ] || return 1
		unload raw_hrtimer || return 1
		[ ! -e "$RHT" ] || return 1
		is_not_loaded raw_hrtimer || return 1
	done
}

# An application may have one of the files open when the module is to go: that is
# refused or done, and either is fine; afterwards it can be removed.
with_a_file_open() {
	for name in rate counters attach; do
		load raw_hrtimer || return 1
		exec 9< "$RHT/$name" || return 1
		say "$name: $(rmmod raw_hrtimer 2>&1)"
		cat <&9 > /dev/null 2>&1
		exec 9<&-
		unload raw_hrtimer || return 1
	done
}

begin "load and remove"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
plan 12

for name in description author license version parm; do
	expect "modinfo has $name" info_has "$name"
done
expect "the licence is GPL" licence_is_gpl
expect "it can be loaded" load raw_hrtimer
expect "its parameters are in sysfs" parameters_are_in_sysfs
expect "it can be removed" unload raw_hrtimer
refuse "attach=garbage is refused" load raw_hrtimer attach=garbage
expect "loaded and removed $TIMES times" again_and_again
expect "a file of its is open while it is removed" with_a_file_open
finish
