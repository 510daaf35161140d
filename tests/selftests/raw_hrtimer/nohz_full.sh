#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Timers on a CPU that has no tick, because it is one of nohz_full's (a kernel
# parameter): idle, or busy with one task, or with a guest.  Its clock is somebody
# else's to update; the rate changes while a timer is pending.  It is not interrupted
# for timers that run elsewhere, nor for those that have expired.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

# shellcheck disable=SC2034	# functions.sh reads it
DISTANCE_MS=2000

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

# The module's own interrupts, by the function tracer.
trace() {
	echo rht_called_fn rht_more_fn > $TRACING/set_ftrace_filter &&
		echo function > $TRACING/current_tracer
}

untrace() {
	echo nop > $TRACING/current_tracer
	echo > $TRACING/set_ftrace_filter
}

# [CPU]: how many were there, or anywhere.
traced() {
	grep -c "${1:+\[$(printf %03d "$1")\].*} rht_[a-z]*_fn " $TRACING/trace
}

# CALLED: waits until there are more, because a busy machine may call once for two changes.
is_called_again() {
	for _ in $(seq 10); do
		sleep 0.2
		[ "$(traced)" = "$1" ] || return 0
	done
}

# CASE...: the clock slows down five times beside it; how many interrupts of the module's
# CPU and the others have had is in THERE and ELSEWHERE.  From the nominal rate: at a
# faster one a timer is armed early where the clockevent does not count the TSC.
slow_down_beside() {
	straighten
	trace || return 1
	settle
	begin_case "$@"
	sleep 2
	echo > $TRACING/trace
	# A pass is where the clock is told its rate.
	# shellcheck disable=SC2034	# functions.sh reads it
	BENT=1
	for tick in 9800 9600 9400 9200 9000; do
		called=$(traced)
		taskset -c "$((CPU == 0))" adjtimex -t $tick > /dev/null
		is_called_again "$called"
	done
	THERE=$(traced "$CPU")
	ELSEWHERE=$(($(traced) - THERE))
	untrace
	end_case || return 1
	say "interrupts of the module's: $THERE on CPU $CPU, $ELSEWHERE elsewhere"
}

# One that is not pinned runs on another CPU, which is called each time.
runs_elsewhere() {
	slow_down_beside pending 8000 1 1 && [ "$THERE" = 0 ] && [ "$ELSEWHERE" -ge 5 ]
}

# A pass takes them off the list in batches, where it runs itself.
has_expired() {
	slow_down_beside expired 6000 && [ "$THERE" = 0 ] && [ "$ELSEWHERE" -ge 10 ]
}

# One that is pinned there is called for.
runs_there() {
	slow_down_beside pending 8000 1 0 && [ "$THERE" -ge 5 ]
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
plan 8

expect "idle: a node is neither early nor lost when the rate changes" rate_changes
keep_busy
expect "busy with one task: it has no tick" has_no_tick
expect "busy with one task: a node is neither early nor lost" rate_changes
if [ -w $TRACING/set_ftrace_filter ]; then
	trap 'untrace; clean_up' EXIT
	expect "a timer that is pinned there: it is interrupted" runs_there
	expect "a timer armed there that runs elsewhere: it is not" runs_elsewhere
	echo 4096 > /sys/module/raw_hrtimer_test/parameters/nodes
	expect "timers that have expired there: it is not" has_expired
else
	for timer in pinned elsewhere expired; do
		ktap_test_skip "interrupted for a timer, $timer: there is no function tracer"
	done
fi
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
