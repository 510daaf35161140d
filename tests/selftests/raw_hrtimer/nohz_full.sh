#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Timers on a CPU that has no tick, because it is one of nohz_full's (a kernel
# parameter): idle, or busy with one task, or with a guest.  Its clock is somebody
# else's to update; the rate changes while a timer is pending.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# shellcheck disable=SC2034	# functions.sh reads it
DISTANCE_MS=2000

# The first CPU that has no tick.
without_tick() {
	sed -n 's/^\([0-9][0-9]*\).*/\1/p' /sys/devices/system/cpu/nohz_full 2> /dev/null
}

# How many timer interrupts CPU has had.
interrupts() {
	awk -v column=$((CPU + 2)) '$1 == "LOC:" { print $column }' /proc/interrupts
}

keep_busy() {
	taskset -c "$CPU" sh -c 'while :; do :; done' &
	BACKGROUND=$!
	sleep 1
}

let_go() {
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2> /dev/null
	BACKGROUND=
}

# A second of one task: the tick would interrupt it 100 times at least.
has_no_tick() {
	before=$(interrupts)
	sleep 1
	say "CPU $CPU: $(($(interrupts) - before)) timer interrupts in a second"
	[ $(($(interrupts) - before)) -lt 50 ]
}

# Early 0 both ways, and a node that slows down is re-armed there.
rate_changes() {
	rearms=$(counter rearms)
	pending_while 11000 9000 1 && not_late $(($(value deadline_distance) / 100)) || return 1
	[ "$(counter rearms)" -gt "$rearms" ] || return 1
	pending_while 9000 11000 1 && pending_while 9000 11000 0
}

# TICK: a guest that has the CPU to itself, halted and spinning.
guest_at() {
	bend "$1" 0
	settle
	starts=$(counter starts)
	measure_deadlines --samples 5 --distance 10000 \
		--max-late "${MAX_LATE_CYCLES:-2147483647}" &&
		[ "$(counter starts)" -gt "$starts" ]
}

begin "CPUs without a tick"
need_adjtimex
need_tsc
CPU=$(without_tick)
[ -n "$CPU" ] || skip_all "no CPU is without a tick: boot with nohz_full=1"
# shellcheck disable=SC2034	# functions.sh reads it
ON_CPU=$CPU
load_test_module
plan 5

expect "idle: a node is neither early nor lost when the rate changes" rate_changes
keep_busy
expect "busy with one task: it has no tick" has_no_tick
expect "busy with one task: a node is neither early nor lost" rate_changes
let_go
unload raw_hrtimer_test
unload raw_hrtimer
# shellcheck disable=SC2034	# functions_kvm.sh reads it
if kvm_vendor > /dev/null && load_kvm && GUEST=$(find_program $MEASURING); then
	load raw_hrtimer
	say "KVM: $(attached)"
	for tick in 11000 9000; do
		expect "tick $tick: a guest's timers are not early" guest_at $tick
	done
else
	for tick in 11000 9000; do
		ktap_test_skip "tick $tick: a guest: there is no KVM or no $MEASURING"
	done
fi
straighten
finish
