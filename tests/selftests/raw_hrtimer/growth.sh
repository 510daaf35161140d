#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What pending timers cost somebody else while the rate changes on every tick:
# from 1 to 4096 nodes on 1 CPU to all, for SECONDS_EACH.  Every node fires once
# and not early, no clock loses time, and a real-time thread that sleeps for a
# millisecond again and again is woken at most MAX_WAKE_NS late; that is judged
# where it is given, as only some machines are repeatable.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

SECONDS_EACH=${SECONDS_EACH:-3}
COUNTS=${COUNTS:-1 64 4096}
WHICH_CPUS=${WHICH_CPUS:-$(printf '%s\n' 1 "$(nproc)" | uniq)}
INTERVAL_US=4000

# The frequency alone: by 20 % the bystander's own timer would be late.
MAX_TICK=0

# So often as it was asked to: where a run can be repeated, but for a tenth.
changed_often() {
	changes=$(sed -n 's/^# seed .*, \([0-9]*\) changes$/\1/p' "$LOG.said")
	say "${changes:-no} changes of rate"
	least=1
	[ -z "$MAX_WAKE_NS" ] || least=$((SECONDS_EACH * 900000 / INTERVAL_US))
	[ "${changes:-0}" -ge $least ]
}

# NODES CPUS: a line of the table.  The bystander is on CPU 0, where nodes are, too.
measure() {
	echo "$1" > /sys/module/raw_hrtimer_test/parameters/nodes
	passes=$(counter passes)
	rearms=$(counter rearms)
	start_bending $INTERVAL_US $MAX_TICK
	$BYSTANDER 0 1000 "$SECONDS_EACH" > "$LOG" &
	bystander=$!
	BACKGROUND="$BACKGROUND $bystander"
	run_case growth $((SECONDS_EACH * 1000 + 500)) "$2" > "$LOG.case"
	verdict=$?
	wait $bystander || verdict=1
	forget_background $bystander
	stop_bending > "$LOG.said"
	changed_often || verdict=1
	grep -v ': late: \|: calls: ' "$LOG.case"
	passes=$(($(counter passes) - passes))
	line "$1" "$2" $passes $(($(counter rearms) - rearms))
	[ $passes -gt 0 ] && return $verdict
}

# The table's header, and its lines: figures for whoever reads them, too.
header() {
	say "growth: nodes cpus passes rearms wake_median_ns wake_p99_ns wake_max_ns"
}

# NODES CPUS PASSES REARMS
line() {
	MAX_NS=$(field "$LOG" max_ns)
	say "growth: $* $(field "$LOG" median_ns) $(field "$LOG" p99_ns) $MAX_NS"
}

# Where nothing is pending: the machine's own, with the rate changed, too.
alone() {
	passes=$(counter passes)
	start_bending $INTERVAL_US $MAX_TICK
	$BYSTANDER 0 1000 "$SECONDS_EACH" > "$LOG"
	verdict=$?
	stop_bending > "$LOG.said"
	changed_often || verdict=1
	line 0 0 $(($(counter passes) - passes)) 0
	return $verdict
}

wakes_in_time() {
	say "at most $MAX_NS ns late"
	[ "$MAX_NS" -le "$MAX_WAKE_NS" ]
}

begin_storm "how the cost of pending timers grows"
need_bending
BYSTANDER=$(find_program bystander) || skip_all "bystander is not built"
load_test_module
tests=1
for cpus in $WHICH_CPUS; do
	tests=$((tests + 2 * $(echo "$COUNTS" | wc -w)))
done
plan $tests

header
expect "a bystander alone" alone
for cpus in $WHICH_CPUS; do
	for count in $COUNTS; do
		expect "$count nodes on $cpus CPUs: none early, none lost, no time lost" \
			measure "$count" "$cpus"
		if [ -n "$MAX_WAKE_NS" ]; then
			expect "$count nodes on $cpus CPUs: the bystander wakes in time" wakes_in_time
		else
			ktap_test_skip "$count nodes on $cpus CPUs: no MAX_WAKE_NS for this machine"
		fi
	done
done
finish
