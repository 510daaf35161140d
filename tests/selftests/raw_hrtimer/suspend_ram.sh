#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Suspend to RAM and resume, ROUNDS times, with a guest that is in the middle of
# things: none of its timers is lost, and none early, also where the TSC counts from
# zero afterwards; there none is later than the machine slept, also if another
# clocksource is current meanwhile.
#
# Linux sets such a TSC right if it can (IA32_TSC_ADJUST); to have it stay as it is,
# boot with clearcpuid=tsc_adjust.  TSC_RESTARTS=1 makes it a failure if it goes on.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"
. "$DIR/functions_suspend.sh"

ROUNDS=${ROUNDS:-2}
MEM_SLEEP=/sys/power/mem_sleep
# So long the TSC has counted at least when it restarts, and so late a timer would be
# that has the deadline of before.
AWAKE_S=5
# What a guest's timer may be late by, beside the time that the machine slept.
SLACK_S=2

tsc() {
	run_case tsc > /dev/null && value tsc
}

# RESTARTS: how often the TSC has; ASLEEP: for how long at most.
RESTARTS=0
ASLEEP=0
sleep_once() {
	sleep $AWAKE_S
	was=$(tsc) && suspend_to mem && is=$(tsc) || return 1
	[ "$SLEPT" -le $ASLEEP ] || ASLEEP=$SLEPT
	[ "$is" -gt "$was" ] || RESTARTS=$((RESTARTS + 1))
	say "TSC: $was, then $is"
	guest_still_runs
}

# Where the TSC restarts, a timer of a hooked KVM that was pending keeps its expiry, and
# so may be early (Documentation/design.rst).
stop_this_guest() {
	if [ $RESTARTS != 0 ] && ! is_registered; then
		stop_disturbed_guest
	else
		stop_guest
	fi
}

# The latest of all, in us, as the guest has said.
latest() {
	sed -n 's/.* up to \([0-9]*\) us late$/\1/p' "$LOG" | sort -n | tail -n 1
}

restarts_as_a_whole() {
	[ $RESTARTS = $((ROUNDS + 1)) ] || { [ $RESTARTS = 0 ] && [ -z "$TSC_RESTARTS" ]; }
}

deep_before() {
	[ -z "$DEEP" ] || echo "$DEEP" > $MEM_SLEEP
	echo tsc > $CLOCKSOURCE/current_clocksource
}

# Nothing is published of a TSC that restarts while another clocksource is current.
sleep_unseen() {
	ASLEEP=0
	echo "$other" > $CLOCKSOURCE/current_clocksource
	sleep_once
	status=$?
	say "the clocksource is $(cat $CLOCKSOURCE/current_clocksource)"
	echo tsc > $CLOCKSOURCE/current_clocksource
	return $status
}

none_has_the_deadline_of_before() {
	[ "$(latest)" -lt $(((ASLEEP + SLACK_S) * 1000000)) ]
}

begin_storm "suspend to RAM and resume, $ROUNDS times"
need_adjtimex
need_tsc
need_suspend mem "suspend"
grep -qw deep $MEM_SLEEP 2> /dev/null || skip_all "the machine has no suspend to RAM"
need_storm_guest
load_attached
add_test_module
DEEP=$(sed 's/.*\[\(.*\)\].*/\1/' $MEM_SLEEP)
trap 'deep_before; clean_up' EXIT
echo deep > $MEM_SLEEP
plan 13

bend 11000 0
settle
expect "a guest runs" start_guest --seed "$SEED" --longest 4000000 --halt
expect "asleep and awake once" rounds 1 sleep_once
remember_memory
expect "asleep and awake $ROUNDS times" suspend_rounds "$ROUNDS" sleep_once
expect "the TSC restarts each time or never: $RESTARTS times" restarts_as_a_whole
expect "nothing is left of it" nothing_leaked "$ROUNDS"
expect "the guest lost no timer" stop_this_guest
if [ $RESTARTS = 0 ]; then
	ktap_test_skip "none has the deadline of before: the TSC goes on"
else
	expect "none has the deadline of before" none_has_the_deadline_of_before
fi
if other=$(another_clocksource); then
	expect "a guest runs again" start_guest --seed "$SEED" --longest 4000000 --halt
	expect "asleep while the clocksource is $other" sleep_unseen
	expect "the guest lost no timer then" stop_disturbed_guest
	expect "none has the deadline of before then" none_has_the_deadline_of_before
else
	for _ in 1 2 3 4; do
		ktap_test_skip "the TSC is the only clocksource"
	done
fi
straighten
settle
expect "timers as before" soak_once
expect "guests as before" guest_passes --starts 200
finish
