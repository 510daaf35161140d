#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The clocksource is changed to another and back to the TSC ROUNDS times while a
# guest and the test module arm timers: none is lost, and none is early where the
# clocksource was the TSC.  What is early under another is so without the module.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-5}
CLOCKSOURCE=/sys/devices/system/clocksource/clocksource0

there_and_back() {
	for round in $(seq "$ROUNDS"); do
		for name in "$other" tsc; do
			echo "$name" > $CLOCKSOURCE/current_clocksource
			usleep $(($(random 100) * 1000))
			[ "$(cat $CLOCKSOURCE/current_clocksource)" = "$name" ] ||
				{ say "round $round: $name is not taken"; return 1; }
			kill -0 "$GUEST" || { say "round $round: the guest has ended"; return 1; }
		done
	done
}

soak() {
	while [ ! -e "$LOG.enough" ]; do
		run_case soak 5000 "$SEED" 20000 || exit 1
	done
}

begin_storm "the clocksource changes, and back, $ROUNDS times"
need_bender
other=$(tr ' ' '\n' < $CLOCKSOURCE/available_clocksource | grep -vxE 'tsc|kvm-clock|' | head -n 1)
[ -n "$other" ] || skip_all "the TSC is the only clocksource"
unload raw_hrtimer_test
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_storm_guest
have_module raw_hrtimer_test || skip_all "there is no module raw_hrtimer_test"
load raw_hrtimer || skip_all "raw_hrtimer cannot be loaded"
load raw_hrtimer_test || skip_all "raw_hrtimer_test cannot be loaded"
plan 7
say "KVM: $(attached), the other clocksource: $other"

start_bending 10000
expect "a guest runs" start_guest --seed "$SEED"
soak > "$LOG.soak" &
SOAK=$!
changes=$(field "$RHT/rate" clocksource_changes)
expect "$other and back, $ROUNDS times" there_and_back
touch "$LOG.enough"
expect "the test module lost no timer, and none was early under the TSC" wait $SOAK
tail -n 20 "$LOG.soak"
expect "the guest lost no timer" stop_disturbed_guest
say "changes: $(($(field "$RHT/rate" clocksource_changes) - changes))"
expect "the module has seen all changes" \
	[ $(($(field "$RHT/rate" clocksource_changes) - changes)) = $((2 * ROUNDS)) ]
expect "under the TSC again a guest lost no timer, and none was early" guest_passes --starts 200
expect "nor the test module" run_case soak 5000 "$SEED" 20000
stop_bending
finish
