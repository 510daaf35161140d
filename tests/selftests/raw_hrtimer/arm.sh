#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A timer that is armed for a TSC deadline fires there, not before: near, far,
# past, and moved by its own callback; by the plain functions and by a node.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

# The clockevent that takes over counts nanoseconds: a timer is started for the nominal distance, and
# where the TSC-deadline timer has not stopped it comes early, and its callback restarts it.
started_for_another_clockevent() {
	bend 11000 0
	settle
	run_case deadline 50000 4 "$1" || return 1
	straighten
	say "$(value calls) calls of $(value runs) timers"
	[ "$(value calls)" -gt "$(value runs)" ]
}

begin "arming timers"
need_adjtimex
need_tsc
load_test_module
WITHOUT_ARAT=0
if lacks_arat; then
	WITHOUT_ARAT=2
fi
plan $((5 * 2 * 3 + 8 + WITHOUT_ARAT))

for tick in 10000 11000 9000; do
	bend $tick 0
	settle
	# microseconds and how often
	for distance in "10 50" "1000 20" "50000 4" "1000000 1"; do
		for node in 0 1; do
			expect "tick $tick: deadline in ${distance% *} us, node $node" \
				run_case deadline "${distance% *}" "${distance#* }" $node
		done
	done
	for node in 0 1; do
		expect "tick $tick: behind an event, node $node" run_case behind 20 $node
	done
done
straighten
settle
for node in 0 1; do
	expect "past deadlines fire at once, node $node" run_case past $node
	expect "far deadlines stay pending, node $node" run_case far $node
	expect "an early callback moves the timer once, node $node" run_case restart 2000 $node
	expect "what the clock has passed is reached where the TSC lags, node $node" \
		run_case lag 500 $node
done
if [ $WITHOUT_ARAT != 0 ]; then
	for node in 0 1; do
		expect "without ARAT as for another clockevent, node $node" \
			started_for_another_clockevent $node
	done
fi
finish
