#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ROUNDS guests are created and killed while their L2 runs and timers are pending,
# at any moment, while the rate changes: their timers' memory is looked at by
# nobody, and freed.  Every other one has a periodic timer, whose callback sets the
# next period while the guest is torn down.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-10}
WARM_UP=3

has_armed() {
	[ "$(counter starts)" != "$armed" ]
}

start_periodic() {
	armed=$(counter starts)
	start_until has_armed "$PERIODIC" --mode periodic --wait halted --distance 500 \
		--samples 100000
}

start_one() {
	if [ $((ROUND % 2)) = 0 ]; then
		start_periodic
	else
		start_guest --seed "$((SEED + ROUND))" --longest 100000
	fi
}

kill_one() {
	start_one || return 1
	usleep $(($(random 40) * 1000))
	kill -KILL "$GUEST" || return 1
	wait "$GUEST" 2> /dev/null
	[ $? = 137 ] || return 1
	forget_background "$GUEST"
}

begin_storm "$ROUNDS guests are killed with timers pending"
need_bending
need_storm_guest
PERIODIC=$(find_program "$MEASURING") || skip_all "of KVM's selftests $MEASURING is not built"
load_attached
plan 5

start_bending 10000
rounds $WARM_UP kill_one
remember_memory
starts=$(counter starts)
expect "$ROUNDS guests are killed" rounds "$ROUNDS" kill_one
say "timers: $(($(counter starts) - starts))"
expect "the module armed their timers" [ $(($(counter starts) - starts)) -ge "$ROUNDS" ]
expect "nothing is left of them" nothing_leaked "$ROUNDS"
stop_bending
expect "and another guest lost no timer, and none was early" guest_passes --starts 200
expect "and the module can be removed" unload raw_hrtimer
finish
