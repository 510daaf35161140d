#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Suspend to idle and resume, ROUNDS times, with timers pending whose deadlines
# pass meanwhile, and a guest that is in the middle of things: none is lost, none
# is early.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"
. "$DIR/functions_suspend.sh"

ROUNDS=${ROUNDS:-2}

# Awake again after ASLEEP_S: by the test module, or where timers stop meanwhile by
# the RTC.
sleep_once() {
	before=$(rtc)
	run_case wake $((ASLEEP_S * 1000)) && suspend_to freeze "$before" &&
		[ "$SLEPT" -ge $((ASLEEP_S - 1)) ]
}

# With timers pending in turn for less, and for more, than it sleeps.
sleep_beside_timers() {
	run_case leave $((1000 + ROUND % 2 * ASLEEP_S * 1500)) && sleep_once &&
		run_case find && guest_still_runs
}

# A guest's one-shot APIC timer, set for ONESHOT_S with the machine asleep for most of that,
# is not later by it: it counts the TSC, which goes on.  More does not fit into its count.
ONESHOT_S=4
apic_counts_the_sleep() {
	starts=$(counter starts)
	"$APIC" --mode oneshot --wait halted --samples 1 --distance ${ONESHOT_S}000000 \
		> "$LOG.apic" 2>&1 &
	guest=$!
	BACKGROUND="$BACKGROUND $guest"
	for _ in $(seq 50); do
		[ "$(counter starts)" = "$starts" ] || break
		usleep 100000
	done
	armed=$(($(counter starts) - starts))
	sleep_once
	slept=$?
	wait $guest
	status=$?
	forget_background $guest
	sed 's/^/# guest: /' "$LOG.apic"
	late=$(sed -n 's/^ok .* max \(-*[0-9]*\) cycles.*/\1/p' "$LOG.apic")
	mhz=$(awk '/^cpu MHz/ { print int($4); exit }' /proc/cpuinfo)
	[ $armed -gt 0 ] && [ $slept = 0 ] && [ $status = 0 ] && [ -n "$late" ] &&
		[ "$late" -lt $((mhz * 1000000)) ]
}

begin_storm "suspend to idle and resume, $ROUNDS times"
need_adjtimex
need_tsc
need_suspend freeze "suspend to idle"
need_storm_guest
load_attached
add_test_module
plan 8

bend 11000 0
settle
expect "a guest runs" start_guest --seed "$SEED"
expect "asleep and awake once" rounds 1 sleep_beside_timers
remember_memory
expect "asleep and awake $ROUNDS times: pending timers fire, not early" \
	suspend_rounds "$ROUNDS" sleep_beside_timers
expect "nothing is left of it" nothing_leaked "$ROUNDS"
expect "the guest lost no timer, and none was early" stop_guest
if APIC=$(find_program $MEASURING); then
	expect "a guest's one-shot APIC timer counts the time asleep" apic_counts_the_sleep
else
	ktap_test_skip "the time asleep: no $MEASURING"
fi
straighten
settle
expect "timers as before" soak_once
expect "guests as before" guest_passes --starts 200
finish
