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
HOOK=45			# what anybody else's timer takes more, for each call, while KVM is hooked
CORE=4			# what the hrtimer core takes more or less from one run to the next, by what
			# else is queued

# NAME LIMIT
below() {
	say "$1: $(value "$1"), limit $2"
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value "$1")" -lt "$2" ]
}

# nanosleep()'s timer, whose callback is the kernel's own, as most are.
OTHERS="sleeper sleeper_cancel sleeper_try_to_cancel"

# NAME: what it took while nothing was hooked.
unhooked() {
	eval echo "\$unhooked_$1"
}

remember_unhooked() {
	for name in $OTHERS; do
		eval "unhooked_$name=$(value $name)"
	done
}

# NAME LIMIT: how many cycles more it takes now.
takes_more() {
	say "$1: $(value "$1"), not hooked: $(unhooked "$1"), limit $2 more"
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value "$1")" -le $(($(unhooked "$1") + $2)) ]
}

# LIMIT
all_take_more() {
	run_case cost || return 1
	for name in $OTHERS; do
		takes_more $name "$1" || return 1
	done
}

# LIMIT: what else is queued at that time may take the hrtimer core 20 more, for as long as
# it is queued: then again, later.
sooner_or_later() {
	for _ in 1 2 3 4 5; do
		all_take_more "$1" && return
		sleep 1
	done
	return 1
}

# As before: a call or two more or less is the cache's.
takes_no_more() {
	unload_kvm && is_not_hooked && sooner_or_later 2
}

is_hooked() {
	[ "$(attached)" = hooked ]
}

is_not_hooked() {
	[ "$(attached)" = none ] && no_hook_is_left
}

begin "what arming, checking and listening cost"
need_tsc
load_test_module
plan 10

expect "each can be measured" run_case cost
for name in hrtimer_start $OTHERS arm_plain arm_raw arm_node cancel_node; do
	say "$name: $(value $name)"
done
expect "the conversion" below expiry $HELPER
expect "the check in a callback" below restart $CHECK

remember_unhooked
expect "the listener can be measured" run_case listener
expect "the listener, told nothing new" below steady_most $LISTENER
if kvm_vendor > /dev/null && load_kvm; then
	load_test_module attach=hooked
	expect "KVM is hooked" is_hooked
	sooner_or_later $((HOOK + CORE))
	expect "another's hrtimer_start() while it is" takes_more sleeper $((HOOK + CORE))
	expect "another's hrtimer_cancel()" takes_more sleeper_cancel $((HOOK + CORE))
	expect "another's hrtimer_try_to_cancel()" takes_more sleeper_try_to_cancel $((HOOK + CORE))
	expect "all of them when KVM is gone: as before" takes_no_more
else
	for name in "KVM is hooked" "another's hrtimer_start() while it is" \
		"another's hrtimer_cancel()" "another's hrtimer_try_to_cancel()" \
		"all of them when KVM is gone: as before"; do
		ktap_test_skip "$name: there is no KVM"
	done
fi
finish
