#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel finds the TSC unstable, for good, while a guest and the test module have
# timers pending: another clocksource takes over, KVM corrects each vCPU's TSC from then
# on, and no TSC says any more when a timer is due.  None is lost.
#
# For a machine of its own, to be booted afterwards: nothing makes the TSC stable again.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

clocksource() {
	cat $CLOCKSOURCE/current_clocksource
}

# A kernel thread takes another one a little later.
becomes_unstable() {
	run_case unstable || return 1
	for _ in $(seq 50); do
		[ "$(clocksource)" = tsc ] || break
		usleep 100000
	done
	say "clocksource: $(clocksource)"
	[ "$(clocksource)" != tsc ] && [ "$(field "$RHT/rate" clocksource)" = other ]
}

fires() {
	run_case find
	echo "$RESULT" | grep -q '^ok find: node: fires once'
}

unload_both() {
	unload raw_hrtimer_test && unload raw_hrtimer
}

begin_storm "the TSC becomes unstable"
need_adjtimex
need_tsc
another_clocksource > /dev/null || skip_all "the TSC is the only clocksource"
need_storm_guest
load_attached
add_test_module
plan 7

bend 11000 0
settle
expect "a guest runs" start_guest --seed "$SEED" --longest 1000000 --halt \
	--move 5000
expect "timers are pending" run_case leave 3000
expect "the TSC is unstable, and no clocksource" becomes_unstable
sleep 4
# What is early then is so without the module.
expect "the guest lost no timer" stop_disturbed_guest
expect "a node that was pending has fired" fires
expect "the plain expiry is used" run_case plain
expect "the module can be removed" unload_both
finish
