#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is removed and loaded again while a guest runs and uses its timers:
# no crash, no hang, and no guest that notices, where the clock is not bent.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# A KVM selftest whose timers the module arms: one of the kernel's own, which fails
# without it where the clock is bent, or else one of the project's.
VMX_GUEST=vmx_preemption_timer_test
ANY_GUEST="hyperv_stimer_accuracy_test --exact --samples 5 --distance 10000 --distance 100000"
ROUNDS=${ROUNDS:-2}

# NAME [ARGUMENT...]: sets GUEST, if there is such a program and it can run here.
# 4 says that it cannot; it may well fail, as the clock may be bent.
can_run() {
	GUEST=$(find_program "$1") || return 1
	shift
	GUEST="$GUEST $*"
	$GUEST > "$LOG" 2>&1
	[ $? != 4 ]
}

# Runs the guest ROUNDS times; the last line tells of the failures.
run_guests() {
	failed=0
	for _ in $(seq "$ROUNDS"); do
		$GUEST || failed=$((failed + 1))
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
	remove || return 1
	sleep 0.02
	load raw_hrtimer || return 1
	is_attached || return 1
	sleep 0.05
}

leave_alone() {
	sleep 0.2
	is_attached
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
need_kvm
# shellcheck disable=SC2086
can_run $VMX_GUEST || can_run $ANY_GUEST ||
	skip_all "of KVM's selftests neither $VMX_GUEST nor ${ANY_GUEST%% *} can run here"
load_attached
remove_idle || fail_all "raw_hrtimer cannot be removed"
load_attached
plan 6
say "guest: $GUEST"

bend 11000 0
settle
starts=$(counter starts)
expect "tick 11000, loaded all the time: the guest passes" undisturbed
expect "and used the module's timers" [ "$(counter starts)" -gt "$starts" ]
expect "tick 11000, removed and loaded: no crash, no hang" bent
straighten
settle
expect "tick 10000, removed and loaded: the guest passes" unbent
expect "and it can be removed" remove
expect "each time at once" removal_is_at_once
finish
