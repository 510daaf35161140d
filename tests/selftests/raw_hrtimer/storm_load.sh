#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module is loaded and removed ROUNDS times while a nested guest arms timers
# all the while, and what that leaves behind is nothing.  With HALT it arms fewer and
# halts until they expire: where each instruction is emulated, a thousand rounds would
# take half a day otherwise.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-10}
HALF=$(((ROUNDS + 1) / 2))	# with the clock nominal, and as many with it fast
WARM_UP=3

start_load() {
	start_guest --seed "$SEED" ${HALT:+--halt --shortest 2000 --longest 20000}
}

# Loaded and removed at any point of what the guest does.
come_and_go() {
	load raw_hrtimer || return 1
	is_attached || return 1
	usleep $(($(random 30) * 1000))
	STARTS=$((STARTS + $(counter starts)))
	unload raw_hrtimer || return 1
	usleep $(($(random 30) * 1000))
	guest_still_runs
}

# A few rounds, and then what the rest must not add to.
warm_up() {
	rounds $WARM_UP come_and_go
	remember_memory
	STARTS=0
}

module_armed_timers() {
	say "timers: $STARTS"
	[ "$STARTS" -ge "$HALF" ]
}

begin_storm "the module comes and goes $ROUNDS times while a nested guest arms timers"
need_adjtimex
need_tsc
need_storm_guest
plan 10

expect "a guest runs" start_load
warm_up
expect "$HALF times loaded and removed, the clock nominal" rounds $HALF come_and_go
expect "the module armed the guest's timers" module_armed_timers
expect "nothing is left of it" nothing_leaked $HALF
expect "the guest lost no timer, and none was early" stop_guest

bend 11000 0
settle
expect "a guest runs, the clock 10 % fast" start_load
warm_up
expect "$HALF times loaded and removed" rounds $HALF come_and_go
expect "the module armed the guest's timers" module_armed_timers
expect "nothing is left of it" nothing_leaked $HALF
expect "the guest lost no timer" stop_disturbed_guest
straighten
finish
