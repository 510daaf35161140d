#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The clocksource is changed to another and back to the TSC ROUNDS times while a
# guest and the test module arm timers: none is lost, and none is early where the
# clocksource was the TSC.  What is early under another is so without the module.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-5}

back() {
	echo tsc > $CLOCKSOURCE/current_clocksource
}

there_and_back() {
	for name in "$other" tsc; do
		echo "$name" > $CLOCKSOURCE/current_clocksource
		usleep $(($(random 100) * 1000))
		[ "$(cat $CLOCKSOURCE/current_clocksource)" = "$name" ] ||
			{ say "$name is not taken"; return 1; }
		guest_still_runs || return 1
	done
}

begin_storm "the clocksource changes, and back, $ROUNDS times"
need_bending
other=$(another_clocksource) || skip_all "the TSC is the only clocksource"
need_storm_guest
load_attached
add_test_module
trap 'back; clean_up' EXIT
plan 8
say "the other clocksource: $other"

start_bending 10000
expect "a guest runs" start_guest --seed "$SEED"
rounds 1 there_and_back
soak_once > /dev/null
remember_memory
start_soaking
changes=$(field "$RHT/rate" clocksource_changes)
expect "$other and back, $ROUNDS times" rounds "$ROUNDS" there_and_back
back	# where a round has failed
expect "the test module lost no timer, and none was early under the TSC" stop_soaking
expect "nothing is left of it" nothing_leaked "$ROUNDS"
expect "the guest lost no timer" stop_disturbed_guest
say "changes: $(($(field "$RHT/rate" clocksource_changes) - changes))"
expect "the module has seen all changes" \
	[ $(($(field "$RHT/rate" clocksource_changes) - changes)) = $((2 * ROUNDS)) ]
expect "under the TSC again a guest lost no timer, and none was early" guest_passes --starts 200
expect "nor the test module" soak_once
stop_bending
finish
