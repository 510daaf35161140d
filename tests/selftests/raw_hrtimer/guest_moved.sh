#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A vCPU goes from one CPU to another, again and again, while its timer is pending,
# halted and spinning: KVM starts the timer again with the expiry that it had, and
# the rate may have changed since.  No timer is early, and none is lost.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

DISTANCE_US=${DISTANCE_US:-100000}
SAMPLES=${SAMPLES:-8}

# PERIOD_S [TICK...]: moves a guest while it runs, to the next tick each time, and
# another one, if that was less than once for each of its timers.
run_moved() {
	period=$1
	shift
	moves=0
	while [ $moves -lt "$SAMPLES" ]; do
		before=$moves
		"$GUEST" --mode tscdeadline --samples "$SAMPLES" --distance "$DISTANCE_US" \
			--max-late "$MAX_LATE" > "$LOG" 2>&1 &
		BACKGROUND=$!
		while kill -0 $BACKGROUND 2> /dev/null; do
			taskset -pc $((moves % 2)) $BACKGROUND > /dev/null 2>&1 || break
			if [ $# != 0 ]; then
				bend "$1" 0
				set -- "$@" "$1"
				shift
			fi
			moves=$((moves + 1))
			sleep "$period"
		done
		wait $BACKGROUND
		status=$?
		BACKGROUND=
		sed 's/^/# /' "$LOG"
		say "moved $moves times"
		[ $status = 0 ] && [ $moves -gt $before ] || return 1
	done
}

# TICK: exact, where that can be judged: the rate does not change.
at_rest() {
	bend "$1" 0
	settle
	MAX_LATE=${MAX_LATE_CYCLES:-$ANY}
	starts=$(counter starts)
	run_moved 0.03 && [ "$(counter starts)" -gt "$starts" ]
}

while_the_rate_changes() {
	MAX_LATE=${MAX_LATE_CYCLES:-$ANY}
	run_moved 0.03 11000 9000 10000
}

begin "a vCPU is moved while its timer is pending"
ANY=2147483647
need_adjtimex
need_tsc
[ -d /sys/devices/system/cpu/cpu1 ] || skip_all "there is no CPU 1"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_kvm
need_guest $MEASURING
measure_deadlines --samples 1 --distance 10
[ $? != 4 ] || skip_all "$MEASURING cannot run here: $(tail -n 1 "$LOG")"
load_attached
plan 4

for tick in 10000 11000 9000; do
	expect "tick $tick: neither early nor lost" at_rest $tick
done
expect "the rate changes with each move: neither early nor lost" while_the_rate_changes
straighten
finish
