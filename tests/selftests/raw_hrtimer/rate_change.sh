#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The rate changes while a timer is pending: never early, and a node is not late
# either.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

DISTANCE_MS=3000
REARM=/sys/module/raw_hrtimer/parameters/rearm

# The cycles by which a timer that nobody looked after would be late, if it was
# armed a quarter of the distance, at most, before the change.
unaided() {
	echo $(($(value deadline_distance) * 3 * ($1 - $2) / $1 / 4))
}

node_slowed_down() {
	rearms=$(counter rearms)
	pending_while 11000 9000 1 || return 1
	say "late by $(value late) cycles; not looked after, $(unaided 11000 9000) or more"
	[ "$(counter rearms)" -gt "$rearms" ] && not_late $(($(unaided 11000 9000) / 10))
}

# Shows that the above can fail.  From the nominal rate: at a faster one the timer
# is armed early on a machine whose clockevent does not count the TSC.
node_slowed_down_without_rearm() {
	echo N > $REARM
	pending_while 10000 9000 1
	status=$?
	echo Y > $REARM
	say "late by $(value late) cycles, $(unaided 10000 9000) or more expected"
	# With MAX_LATE_CYCLES this very lateness is a failure of the case.
	[ $status = 0 ] || [ -n "$MAX_LATE_CYCLES" ] || return 1
	[ "$(value late)" -ge "$(unaided 10000 9000)" ]
}

# A thread that re-armed would wait for the task, and under PREEMPT_RT much that is
# an interrupt elsewhere is a thread.
slowed_down_by_a_busy_task() {
	bend 11000 0
	settle
	begin_pending $DISTANCE_MS 1
	rearmed=$("$BUSY" 9000)
	end_case
	say "re-armed meanwhile: $rearmed"
	[ "$rearmed" -ge 1 ]
}

# TYPE: armed for a later time than it becomes: the callback moves the timer, unless
# the machine is so busy that it runs late all the same.
sped_up() {
	restarts=$(counter restarts)
	pending_while 9000 11000 "$1" || return 1
	[ "$(counter restarts)" -gt "$restarts" ] || [ -z "$MAX_LATE_CYCLES" ]
}

steady_is_left_alone() {
	straighten
	settle
	rearms=$(counter rearms)
	passes=$(counter passes)
	run_case pending $DISTANCE_MS 1 && [ "$(counter rearms)" = "$rearms" ] &&
		[ "$(counter passes)" = "$passes" ]
}

# The first slow-down may look for what was cancelled since the last one.
nothing_pending() {
	straighten
	settle
	bend 9500 0
	settle
	passes=$(counter passes)
	changes=$(field "$RHT/rate" rate_changes)
	bend 9000 0
	settle
	straighten
	[ "$(field "$RHT/rate" rate_changes)" -gt "$changes" ] && [ "$(counter passes)" = "$passes" ]
}

begin "a change of rate while a timer is pending"
need_adjtimex
need_tsc
load_test_module
plan 8
BUSY=$(find_program busy_slowdown)
# shellcheck disable=SC2034	# functions.sh reads it
SLEW=$(find_program slew)

expect "slowed down: a node is neither early nor late" node_slowed_down
expect "slowed down, rearm=N: late, as without looking after it" node_slowed_down_without_rearm
slow="slowed down by a busy real-time task: re-arming does not wait for it"
if [ -n "$BUSY" ]; then
	expect "$slow" slowed_down_by_a_busy_task
else
	ktap_test_skip "$slow: there is no busy_slowdown"
fi
expect "sped up: a node is not early" sped_up 1
expect "sped up: a plain timer is not early" sped_up 0
faster="sped up: a node that is started then is not late"
if [ -n "$SLEW" ]; then
	expect "$faster" started_after_a_speed_up faster
else
	ktap_test_skip "$faster: there is no slew"
fi
expect "steady: no pass and no re-arming" steady_is_left_alone
expect "slowed down with no timer pending: no pass" nothing_pending
finish
