#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Suspend to idle and resume, ROUNDS times, with timers pending whose deadlines
# pass meanwhile, and a guest that is in the middle of things: none is lost, none
# is early.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"
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

rounds() {
	before_all=$(suspends)
	for round in $(seq "$ROUNDS"); do
		# Pending in turn: less, and more, than it sleeps.
		run_case leave $((1000 + round % 2 * ASLEEP_S * 1500)) || return 1
		sleep_once || { say "round $round"; return 1; }
		run_case find || return 1
		kill -0 "$GUEST" || return 1
	done
	[ "$(suspends)" = $((before_all + ROUNDS)) ]
}

begin_storm "suspend to idle and resume, $ROUNDS times"
need_adjtimex
need_tsc
grep -qw freeze /sys/power/state 2> /dev/null || skip_all "the kernel has no suspend to idle"
[ -w $RTC/wakealarm ] || skip_all "there is no RTC with an alarm"
[ -r $DEBUGFS/suspend_stats ] || skip_all "the kernel does not count suspends"
unload raw_hrtimer_test
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_storm_guest
have_module raw_hrtimer_test || skip_all "there is no module raw_hrtimer_test"
load raw_hrtimer || skip_all "raw_hrtimer cannot be loaded"
load raw_hrtimer_test || skip_all "raw_hrtimer_test cannot be loaded"
plan 5

bend 11000 0
settle
expect "a guest runs" start_guest --seed "$SEED"
expect "asleep and awake $ROUNDS times: pending timers fire, not early" rounds
expect "the guest lost no timer, and none was early" stop_guest
straighten
settle
expect "timers as before" run_case soak 5000 "$SEED" 20000
expect "guests as before" guest_passes --starts 200
finish
