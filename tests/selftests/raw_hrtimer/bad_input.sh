#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a caller must not pass is refused with one warning, counted, and does no
# harm.  To be run last: the warnings are real, and taint the kernel.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

# COUNTER CASE TEXT: twice by a timer and twice by a node, one warning in all.
warned_of_once() {
	before=$(counter "$1")
	for node in 0 1 0 1; do
		run_case "$2" $node || return 1
	done
	warnings=$(since_mark | grep -c "WARNING:")
	texts=$(since_mark | grep -c "$3")
	say "warnings: $warnings, counted: $(($(counter "$1") - before))"
	[ "$warnings" = 1 ] && [ "$texts" = 1 ] && [ "$(counter "$1")" = $((before + 4)) ]
}

begin "bad input"
need_tsc
[ "$(cat /proc/sys/kernel/panic_on_warn)" = 0 ] || skip_all "the kernel panics on warnings"
load_test_module
plan 4

expect "no timer at all: nothing happens" run_case null
expect "and no warning" log_is_clean
mark
expect "HRTIMER_MODE_REL: one warning, taken as absolute" \
	warned_of_once wrong_mode wrong_mode "a deadline is absolute"
mark
expect "another clock: one warning, armed unchanged" \
	warned_of_once wrong_clock wrong_clock "not on CLOCK_MONOTONIC"
# The two warnings were asked for; from here on there is to be none.
mark
finish
