#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Suspend to idle and resume, ROUNDS times, with timers pending whose deadlines
# pass meanwhile, and a guest that is in the middle of things: none is lost, none
# is early.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-2}
ASLEEP_S=3
RTC=/sys/class/rtc/rtc0

suspends() {
	sed -n 's/^success: *//p' $DEBUGFS/suspend_stats
}

# Awake again after ASLEEP_S: by the test module, or where timers stop meanwhile by
# the RTC.
sleep_once() {
	run_case wake $((ASLEEP_S * 1000)) || return 1
	echo 0 > $RTC/wakealarm
	echo +$((2 * ASLEEP_S)) > $RTC/wakealarm
	before=$(cat $RTC/since_epoch)
	echo freeze > /sys/power/state || return 1
	slept=$(($(cat $RTC/since_epoch) - before))
	echo 0 > $RTC/wakealarm
	say "asleep for $slept s"
	[ $slept -ge $((ASLEEP_S - 1)) ]
}

# With timers pending in turn for less, and for more, than it sleeps.
sleep_beside_timers() {
	run_case leave $((1000 + ROUND % 2 * ASLEEP_S * 1500)) && sleep_once &&
		run_case find && guest_still_runs
}

sleep_each_time() {
	before_all=$(suspends)
	rounds "$ROUNDS" sleep_beside_timers &&
		[ "$(suspends)" = $((before_all + ROUNDS)) ]
}

begin_storm "suspend to idle and resume, $ROUNDS times"
need_adjtimex
need_tsc
grep -qw freeze /sys/power/state 2> /dev/null || skip_all "the kernel has no suspend to idle"
[ -w $RTC/wakealarm ] || skip_all "there is no RTC with an alarm"
[ -r $DEBUGFS/suspend_stats ] || skip_all "the kernel does not count suspends"
need_storm_guest
load_attached
add_test_module
plan 7

bend 11000 0
settle
expect "a guest runs" start_guest --seed "$SEED"
expect "asleep and awake once" rounds 1 sleep_beside_timers
remember_memory
expect "asleep and awake $ROUNDS times: pending timers fire, not early" sleep_each_time
expect "nothing is left of it" nothing_leaked "$ROUNDS"
expect "the guest lost no timer, and none was early" stop_guest
straighten
settle
expect "timers as before" soak_once
expect "guests as before" guest_passes --starts 200
finish
