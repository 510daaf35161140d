#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Nodes: started, cancelled, moved, on one CPU and from another, and many.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

# Two changes to a slower rate, so that one comes after it has expired.
expired_while_bending() {
	begin_case node_expired 20000
	for tick in 11000 10000 9000; do
		bend $tick 0
		sleep 1
	done
	straighten
	end_case
}

# On CPU 1, whose soft callback does not end while the clock slows down.
# shellcheck disable=SC2034	# functions.sh reads ON_CPU
long_callback() {
	bend 11000 0
	settle
	ON_CPU=1
	begin_case long_callback 1000 $LONG_MS
	ON_CPU=
	sleep 2.5
	bend 9000 0
	end_case
	status=$?
	straighten
	say "$(value interrupts) timer interrupts in $LONG_MS ms"
	[ $status = 0 ] && [ "$(value interrupts)" -lt $((2 * LONG_MS)) ]
}

# While nodes come and go the rate goes up and down, and passes look at them.
stress_while_bending() {
	passes=$(counter passes)
	(
		while :; do
			bend 9000 0
			sleep 0.2
			bend 11000 0
			sleep 0.2
		done
	) &
	BACKGROUND=$!
	# shellcheck disable=SC2034	# functions.sh reads it
	BENT=1
	run_case stress 4000
	status=$?
	kill $BACKGROUND
	wait $BACKGROUND 2> /dev/null
	BACKGROUND=
	say "passes: $(($(counter passes) - passes)), rearms: $(counter rearms)"
	[ $status = 0 ] && [ "$(counter passes)" -gt "$passes" ]
}

LONG_MS=4000

begin "nodes"
need_adjtimex
need_tsc
load_test_module
plan 9

expect "cancelled, it does not fire" run_case node_cancel
expect "started again, it fires at the new deadline" run_case node_move
expect "expired, it can be started again, and is forgotten" expired_while_bending
if [ "$(nproc)" -gt 1 ]; then
	expect "started on one CPU, cancelled on another" run_case node_cross
else
	ktap_test_skip "started on one CPU, cancelled on another: there is one CPU"
fi
if [ "$(nproc)" -gt 1 ]; then
	expect "a callback that takes long is not asked for more and more often" long_callback
else
	ktap_test_skip "a callback that takes long: there is one CPU"
fi
for count in 64 1024 4096; do
	echo $count > /sys/module/raw_hrtimer_test/parameters/nodes
	expect "$count nodes at once" run_case many 200
done
echo 64 > /sys/module/raw_hrtimer_test/parameters/nodes
expect "started and cancelled by all CPUs while the rate changes" stress_while_bending
straighten
finish
