#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# CPUs go and come back ROUNDS times, and a guest's vCPU moves from one to another
# all the while, as does the rate: no timer is early or lost, neither the guest's
# nor those of the test module.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-10}
MOVE_US=5000
SYSTEM=/sys/devices/system/cpu

# CPUS: any of them but 0, which cannot go.
some_cpu() {
	echo $((1 + $(random $(($1 - 1)))))
}

all_online() {
	for file in "$SYSTEM"/cpu*/online; do
		[ "$(cat "$file")" = 1 ] || echo 1 > "$file" || return 1
	done
}

hotplug() {
	cpu=$(some_cpu "$CPUS")
	echo 0 > "$SYSTEM/cpu$cpu/online" || return 1
	usleep $(($(random 20) * 1000))
	echo 1 > "$SYSTEM/cpu$cpu/online" || return 1
	guest_still_runs
}

# What the guest says of the times that it was moved.
was_moved() {
	moves=$(sed -n 's/^# moved \([0-9]*\) times/\1/p' "$LOG")
	say "moved $moves times"
	[ "${moves:-0}" -ge "$ROUNDS" ]
}

begin_storm "CPUs come and go $ROUNDS times, a vCPU moves"
need_bending
CPUS=$(nproc)
[ "$CPUS" -gt 1 ] || skip_all "there is one CPU"
[ -w $SYSTEM/cpu1/online ] || skip_all "CPU 1 cannot go offline"
need_storm_guest
load_attached
add_test_module
trap 'all_online; clean_up' EXIT
plan 7

start_bending 10000
expect "a guest runs" start_guest --seed "$SEED" --move $MOVE_US
expect "timers of the test module, too" soak_once
rounds 3 hotplug
remember_memory
start_soaking
expect "CPUs go and come back $ROUNDS times" rounds "$ROUNDS" hotplug
all_online
expect "the test module lost no timer, and none was early" stop_soaking
expect "nothing is left of it" nothing_leaked "$ROUNDS"
expect "nor did the guest" stop_guest
expect "its vCPU was moved, too" was_moved
stop_bending
finish
