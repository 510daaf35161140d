#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What arming and checking cost, in TSC cycles: judged where a cycle is an
# instruction (MAX_LATE_CYCLES is given), only reported elsewhere.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

HELPER=100		# the conversion of a deadline to an expiry
CHECK=30		# what a callback that is not early takes

# NAME LIMIT
below() {
	say "$1: $(value "$1"), limit $2"
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value "$1")" -lt "$2" ]
}

begin "what arming and checking cost"
need_tsc
load_test_module
plan 3

expect "each can be measured" run_case cost
for name in hrtimer_start arm_plain arm_raw arm_node cancel_node; do
	say "$name: $(value $name)"
done
expect "the conversion" below expiry $HELPER
expect "the check in a callback" below finish $CHECK
finish
