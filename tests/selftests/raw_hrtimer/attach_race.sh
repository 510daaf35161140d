#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# raw_hrtimer and KVM are loaded at the same time, and removed at the same time,
# one a little later than the other, in steps: they find each other all the same,
# in the way that this KVM offers, and let go of each other.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

STEPS=${STEPS:-12}
STEP_US=${STEP_US:-60000}

# DELAY_US A B: A, and meanwhile B, that much later; both must succeed.
both() {
	$2 &
	usleep "$1"
	$3 || { wait; return 1; }
	wait $!
}

load_both() {
	both "$1" "$2" "$3" && [ "$(attached)" = "$WAY" ]
}

# While the module gives its registration back KVM cannot be removed: try again.
unload_kvm_in_the_end() {
	unload_kvm 2> /dev/null || { sleep 2; unload_kvm; }
}

# Whatever each of them let go of, nothing of either is left.
unload_both() {
	both "$1" "$2" "$3" || return 1
	is_not_loaded raw_hrtimer && is_not_loaded kvm && no_hook_is_left
}

load_module() {
	load raw_hrtimer
}

unload_module() {
	unload raw_hrtimer
}

step_by_step() {
	round=0
	while [ $round -lt "$STEPS" ]; do
		later=$((round / 2 * STEP_US))
		if [ $((round % 2)) = 0 ]; then
			set -- load_kvm load_module unload_kvm_in_the_end unload_module
		else
			set -- load_module load_kvm unload_module unload_kvm_in_the_end
		fi
		if ! load_both $later "$1" "$2"; then
			say "round $round: $2 $later us after $1: $(attached), not $WAY"
			return 1
		fi
		if ! unload_both $later "$3" "$4"; then
			say "round $round: $4 $later us after $3"
			return 1
		fi
		round=$((round + 1))
	done
}

# Where the clock is bent a guest's timers tell whether the module is there.
works() {
	load_module && load_kvm || return 1
	bend 11000 0
	settle
	starts=$(counter starts)
	measure_deadlines --samples 5 --distance 10000
	status=$?
	straighten
	[ $status = 0 ] && [ "$(counter starts)" -gt "$starts" ]
}

begin "raw_hrtimer and KVM are loaded and removed at the same time"
need_adjtimex
need_tsc
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_kvm
need_guest $MEASURING
WAY=hooked
has_registration_point && WAY=registered
unload_kvm || skip_all "KVM is in use"
plan 3

expect "$STEPS steps: attached ($WAY), and let go" step_by_step
expect "and a guest's timers are not early" works
unload_kvm
expect "and it can be removed" unload raw_hrtimer
finish
