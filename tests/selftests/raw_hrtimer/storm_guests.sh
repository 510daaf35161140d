#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ROUNDS guests are created and killed while their L2 runs and timers are pending,
# at any moment, while the rate changes: their timers' memory is looked at by
# nobody, and freed.  Half as many have a periodic timer instead, whose callback sets
# the next period while the guest is torn down.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-10}
WARM_UP=3

# COMMAND...: a guest, killed some time after the module has armed a timer of it.
kill_guest() {
	start_armed "$@" || return 1
	usleep $(($(random 40) * 1000))
	kill -KILL "$GUEST" || return 1
	wait "$GUEST" 2> /dev/null
	[ $? = 137 ] || return 1
	forget_background "$GUEST"
}

kill_one() {
	kill_guest "$STORM" --seed "$((SEED + ROUND))" --longest 100000 || return 1
	# A hooked KVM starts it but once: not so near that it may be due by then.
	[ $((ROUND % 2)) != 0 ] || kill_guest "$PERIODIC" --mode periodic --wait halted \
		--distance 20000 --samples 100000
}

begin_storm "$ROUNDS guests are killed with timers pending"
need_bending
need_storm_guest
PERIODIC=$(find_program "$MEASURING") || skip_all "of KVM's selftests $MEASURING is not built"
load_attached
plan 4

start_bending 10000
rounds $WARM_UP kill_one
remember_memory
starts=$(counter starts)
expect "$ROUNDS guests, whose timers the module armed, are killed" rounds "$ROUNDS" kill_one
say "timers: $(($(counter starts) - starts))"
expect "nothing is left of them" nothing_leaked "$ROUNDS"
stop_bending
expect "and another guest lost no timer, and none was early" guest_passes --starts 200
expect "and the module can be removed" unload raw_hrtimer
finish
