#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A CPU goes offline with a node pending, and then the clock slows down: the
# node, which the kernel has moved to another CPU, is still looked after.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

DISTANCE_MS=4000
ONLINE=/sys/devices/system/cpu/cpu1/online

back_online() {
	echo 1 > $ONLINE
}

# shellcheck disable=SC2034	# functions.sh reads ON_CPU
node_of_an_offline_cpu() {
	rearms=$(counter rearms)
	bend 11000 0
	settle
	# Armed on CPU 1, and waited for on whichever is left.
	ON_CPU=1
	begin_pending $DISTANCE_MS 1
	ON_CPU=
	echo 0 > $ONLINE || return 1
	bend 9000 0
	end_case
	status=$?
	back_online
	[ $status = 0 ] || return 1
	[ "$(counter rearms)" -gt "$rearms" ] && not_late $(($(value deadline_distance) / 100))
}

up_and_down() {
	for _ in 1 2 3 4 5; do
		echo 0 > $ONLINE && run_case many 100 && back_online && run_case many 100 || return 1
	done
}

begin "CPUs that come and go"
[ -w $ONLINE ] || skip_all "there is no CPU 1 that can go offline"
[ "$(cat $ONLINE)" = 1 ] || skip_all "CPU 1 is offline"
need_adjtimex
need_tsc
load_test_module
trap 'back_online; clean_up' EXIT
plan 2

expect "a node outlives its CPU, and a slow-down" node_of_an_offline_cpu
back_online
straighten
expect "nodes on CPUs that come and go" up_and_down
finish
