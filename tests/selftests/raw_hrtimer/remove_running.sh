#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is removed and loaded again while a guest runs and uses its timers:
# no crash, no hang, and no guest that notices, where the clock is not bent.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# KVM's own selftests, in the order in which they are of use: the first one that
# the machine can run.  The first fails without the module where the clock is bent.
BENT_GUEST=vmx_preemption_timer_test
GUESTS="$BENT_GUEST xen_shinfo_test kvm_clock_test xapic_state_test"
ROUNDS=${ROUNDS:-2}
LOG=$(mktemp)

guest_file() {
	for dir in "$KVM_SELFTESTS" "$DIR/.." "$DIR/../kvm" "$DIR/../kvm/x86"; do
		if [ -x "$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	return 1
}

# Each is run once: 4 says that it cannot run here.
choose_guest() {
	for name in $GUESTS; do
		GUEST=$(guest_file "$name") || continue
		"$GUEST" > "$LOG" 2>&1
		[ $? = 4 ] && continue
		return 0
	done
	return 1
}

# Runs the guest ROUNDS times; the last line tells of the failures.
run_guests() {
	failed=0
	for _ in $(seq "$ROUNDS"); do
		"$GUEST" || failed=$((failed + 1))
	done > "$LOG" 2>&1
	echo "$failed failed" >> "$LOG"
}

# COMMAND: again and again while the guests run.
while_guests_run() {
	run_guests &
	BACKGROUND=$!
	count=0
	while kill -0 $BACKGROUND 2> /dev/null; do
		"$@" || return 1
		count=$((count + 1))
	done
	wait $BACKGROUND
	BACKGROUND=
	say "$ROUNDS guests, meanwhile $count times $*"
	sed 's/^/# /' "$LOG" | tail -n 20
	[ $count -gt 1 ]
}

guests_passed() {
	tail -n 1 "$LOG" | grep -q '^0 failed$'
}

remove_and_load() {
	unload raw_hrtimer || return 1
	sleep 0.02
	load raw_hrtimer || return 1
	is_registered || return 1
	sleep 0.05
}

leave_alone() {
	sleep 0.2
	is_registered
}

undisturbed() {
	while_guests_run leave_alone && guests_passed
}

unbent() {
	while_guests_run remove_and_load && guests_passed
}

# A guest that has no module for a while is early or late: as without it.
bent() {
	while_guests_run remove_and_load
}

begin "removal while a guest runs"
need_adjtimex
need_tsc
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_patched_kvm
choose_guest || skip_all "none of KVM's selftests that use timers can be run: $GUESTS"
plan 5
say "guest: $GUEST"
load raw_hrtimer

bend 11000 0
settle
if [ "${GUEST##*/}" = "$BENT_GUEST" ]; then
	starts=$(counter starts)
	expect "tick 11000, loaded all the time: the guest passes" undisturbed
	expect "and used the module's timers" [ "$(counter starts)" -gt "$starts" ]
else
	ktap_test_skip "tick 11000, loaded all the time: ${GUEST##*/} has no nested timer"
	ktap_test_skip "and used the module's timers"
fi
expect "tick 11000, removed and loaded: no crash, no hang" bent
straighten
settle
expect "tick 10000, removed and loaded: the guest passes" unbent
expect "and it can be removed" unload raw_hrtimer
rm -f "$LOG"
finish
