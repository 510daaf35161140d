#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What arming, checking and listening cost, in TSC cycles: judged where a cycle is an
# instruction (MAX_LATE_CYCLES is given), only reported elsewhere.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

HELPER=100		# the conversion of a deadline to an expiry
CHECK=30		# what a callback that is not early takes
LISTENER=60		# what an update of the timekeeper adds that says nothing new
HOOK=60			# what starting anybody else's timer takes more while KVM is hooked

# NAME LIMIT
below() {
	say "$1: $(value "$1"), limit $2"
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value "$1")" -lt "$2" ]
}

# nanosleep()'s timer, whose callback is the kernel's own, as most are.
hooked_is_cheap() {
	say "sleeper, KVM hooked: $(value sleeper), not hooked: $UNHOOKED, limit $HOOK more"
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value sleeper)" -lt $((UNHOOKED + HOOK)) ]
}

is_hooked() {
	[ "$(attached)" = stock ]
}

begin "what arming, checking and listening cost"
need_tsc
load_test_module
plan 7

expect "each can be measured" run_case cost
for name in hrtimer_start sleeper arm_plain arm_raw arm_node cancel_node; do
	say "$name: $(value $name)"
done
expect "the conversion" below expiry $HELPER
expect "the check in a callback" below finish $CHECK

UNHOOKED=$(value sleeper)
expect "the listener can be measured" run_case listener
expect "the listener, told nothing new" below steady_most $LISTENER
if kvm_vendor > /dev/null && load_kvm; then
	load_test_module attach=stock
	expect "KVM is hooked" is_hooked
	run_case cost
	expect "another's hrtimer_start() while it is" hooked_is_cheap
else
	ktap_test_skip "KVM is hooked: there is no KVM"
	ktap_test_skip "another's hrtimer_start() while it is"
fi
finish
