#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A guest whose TSC is to be faster than the host's, on a processor that cannot scale
# it: KVM lets it catch up at each entry.  No TSC of the host says when its timers are
# due, so a patched KVM arms them itself, as without the module; they all come, and
# those of other guests are the module's as before.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# PERCENT: a guest with that TSC runs to its end.  KVM itself may be early then.
runs() {
	measure_deadlines --tsc "$1" --distance 10000 --samples 5
	grep -q '^# Totals:' "$LOG"
}

# PERCENT: the same, and the module has armed none of its timers.
runs_alone() {
	starts=$(counter starts)
	runs "$1" && [ "$(counter starts)" = "$starts" ]
}

begin "a guest's TSC that KVM makes catch up"
need_tsc
need_patched_kvm
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_guest $MEASURING
measure_deadlines --samples 1 --distance 10
[ $? != 4 ] || skip_all "$MEASURING cannot run here: $(tail -n 1 "$LOG")"
! runs 75 > /dev/null || skip_all "the TSC of a guest can be scaled"
load_attached
plan 3

expect "its timers come, and are KVM's own" runs_alone 150
starts=$(counter starts)
expect "another guest's timers are not early" measure_deadlines --distance 10000 --samples 5
expect "and the module's" [ "$(counter starts)" -ge $((starts + 10)) ]
finish
