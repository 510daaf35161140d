#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ftrace does not take the module's hooks away, as it has given up: the module's text
# stays, and who removes the module waits, idle.  For a machine of its own, which is
# thrown away.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

STUCK=raw_hrtimer_test_stuck
RIVAL=raw_hrtimer_test_rival
REFUSED="raw_hrtimer: ftrace does not remove a hook (-19): the module cannot go before the next boot"

# Whether a hook can be placed, of a function of nobody's.
can_be_hooked() {
	load $RIVAL function=kernel_power_off 2> /dev/null && unload $RIVAL
}

ftrace_gives_up() {
	can_be_hooked && load $STUCK && ! can_be_hooked
}

guest_runs() {
	measure_deadlines --distance 5000 --samples 8
}

removal_waits() {
	# It keeps what it has open for good: not whoever reads what this test says.
	rmmod raw_hrtimer < /dev/null > /dev/null 2>&1 &
	REMOVING=$!
	for _ in $(seq 300); do
		since_mark | grep -qF "$REFUSED" && break
		sleep 0.2
	done
	since_mark | grep raw_hrtimer | sed 's/^/# /'
	[ "$(since_mark | grep -cF "$REFUSED")" = 1 ] || return 1
	sleep 2
	kill -0 $REMOVING && is_loaded raw_hrtimer
}

# A task that waits so is no load, and no hung task.
it_is_idle() {
	state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$REMOVING/status")
	before=$(cut -d ' ' -f 14,15 "/proc/$REMOVING/stat")
	sleep 2
	say "state: $state"
	[ "${state%% *}" = I ] && [ "$before" = "$(cut -d ' ' -f 14,15 "/proc/$REMOVING/stat")" ]
}

# rmmod has ended what is behind the files, and others' timers go through the hooks.
others_timers_run() {
	for _ in $(seq 20); do
		usleep 1000 || return 1
	done
}

kvm_comes_again() {
	unload_kvm && load_kvm && guest_runs
}

begin "ftrace does not take the hooks away"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
for module in $STUCK $RIVAL; do
	have_module $module || skip_all "there is no module $module"
done
need_tsc
need_kvm
need_guest $MEASURING
plan 8
load raw_hrtimer attach=hooked || fail_all "raw_hrtimer cannot be loaded"

expect "hooked, a guest's timers are exact" guest_runs
expect "ftrace gives up" ftrace_gives_up
expect "the hooks go on: a guest's timers are exact" guest_runs
expect "the module's removal waits, and the log says why, once" removal_waits
expect "in an idle sleep" it_is_idle
expect "others' timers run" others_timers_run
expect "a guest runs" guest_runs
expect "KVM comes again, and a guest runs" kvm_comes_again
# What would be cleaned up waits for good.
trap - EXIT
finish
