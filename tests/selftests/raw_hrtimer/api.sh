#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the module computes for its callers, at several rates: expiries and the
# rate against the clock.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

same_rate_as_the_file() {
	run_case rate || return 1
	for name in raw_mult shift; do
		[ "$(value $name)" = "$(field "$RHT/rate" $name)" ] || return 1
	done
}

# Up and down, near and far: after some of these changes the clock runs at the
# lower of the two rates between which it dithers, after others at the upper.
TICKS="10000 11000 9500 9000 10001 9900"

begin "computing expiries"
need_adjtimex
need_tsc
load_test_module
plan $((6 * 4))

for tick in $TICKS; do
	bend "$tick" 0
	settle
	expect "tick $tick: the expiry of now is what the clock says" run_case expiry
	expect "tick $tick: the expiry of later is as far as the rate says" run_case ahead
	expect "tick $tick: the rate is that of the clock" run_case rate
	expect "tick $tick: and that in debugfs" same_rate_as_the_file
done
straighten
finish
