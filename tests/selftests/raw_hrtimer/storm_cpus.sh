#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# CPUs go and come back ROUNDS times, and a guest's vCPU moves from one to another
# all the while, as does the rate: no timer is early or lost, neither the guest's
# nor those of the test module.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"
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

# ROUNDS
hotplug() {
	for round in $(seq "$1"); do
		cpu=$(some_cpu "$CPUS")
		echo 0 > "$SYSTEM/cpu$cpu/online" || { say "round $round"; return 1; }
		usleep $(($(random 20) * 1000))
		echo 1 > "$SYSTEM/cpu$cpu/online" || { say "round $round"; return 1; }
		kill -0 "$GUEST" || { say "round $round: the guest has ended"; return 1; }
	done
}

# What the guest says of the times that it was moved.
was_moved() {
	moves=$(sed -n 's/^# moved \([0-9]*\) times/\1/p' "$LOG")
	say "moved $moves times"
	[ "${moves:-0}" -ge "$ROUNDS" ]
}

# The test module's own timers, all the while.
soak() {
	while [ ! -e "$LOG.enough" ]; do
		run_case soak 5000 "$SEED" 20000 || exit 1
	done
}

begin_storm "CPUs come and go $ROUNDS times, a vCPU moves"
need_bender
CPUS=$(nproc)
[ "$CPUS" -gt 1 ] || skip_all "there is one CPU"
[ -w $SYSTEM/cpu1/online ] || skip_all "CPU 1 cannot go offline"
unload raw_hrtimer_test
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_storm_guest
have_module raw_hrtimer_test || skip_all "there is no module raw_hrtimer_test"
load raw_hrtimer || skip_all "raw_hrtimer cannot be loaded"
load raw_hrtimer_test || skip_all "raw_hrtimer_test cannot be loaded"
is_attached || skip_all "raw_hrtimer does not attach to this KVM"
plan 6
say "KVM: $(attached)"

start_bending 10000
expect "a guest runs" start_guest --seed "$SEED" --move $MOVE_US
hotplug 3
remember_memory
soak > "$LOG.soak" &
SOAK=$!
expect "CPUs go and come back $ROUNDS times" hotplug "$ROUNDS"
all_online
expect "the guest lost no timer, and none was early" stop_guest
expect "its vCPU was moved, too" was_moved
touch "$LOG.enough"
expect "nor did the test module" wait $SOAK
tail -n 20 "$LOG.soak"
stop_bending
unload raw_hrtimer_test
expect "nothing is left of it" nothing_leaked "$ROUNDS"
finish
