#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# KVM's modules are removed and loaded again ROUNDS times while the module stays:
# it lets go of each and attaches to each, and nothing is left of them.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

ROUNDS=${ROUNDS:-3}
STARTS=100

is_detached() {
	[ "$(attached)" = none ]
}

# A guest whose timers are early unless the module is attached: the clock is fast.
run_guest() {
	guest_passes --starts $STARTS --seed "$((SEED + ROUND))"
}

reload() {
	unload_kvm && is_detached && load_kvm && is_attached && run_guest && return
	say "attached: $(attached)"
	return 1
}

begin_storm "KVM's modules are reloaded $ROUNDS times"
need_adjtimex
need_tsc
need_storm_guest
load_attached
plan 4

bend 11000 0
settle
expect "reloaded once" rounds 1 reload
remember_memory
starts=$(counter starts)
expect "reloaded $ROUNDS times: attached, and no timer early or lost" rounds "$ROUNDS" reload
say "timers: $(($(counter starts) - starts))"
expect "the module armed their timers" [ $(($(counter starts) - starts)) -ge "$ROUNDS" ]
expect "nothing is left of it" nothing_leaked "$ROUNDS"
straighten
finish
