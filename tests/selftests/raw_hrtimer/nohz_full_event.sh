#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A timer that is started on a CPU of nohz_full's (a kernel parameter), is not pinned, and so is
# queued on another CPU, just after the clock has become faster.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

begin "timers that go elsewhere, after a speed-up"
need_adjtimex
need_tsc
# shellcheck disable=SC2034	# functions.sh reads it
ON_CPU=$(without_tick)
[ -n "$ON_CPU" ] || skip_all "no CPU is without a tick: boot with nohz_full=1"
# shellcheck disable=SC2034	# functions.sh reads it
SLEW=$(find_program slew)
[ -n "$SLEW" ] || skip_all "there is no slew"
load_test_module
plan 2

expect "a node is not late" started_after_a_speed_up faster_elsewhere 0
unload raw_hrtimer_test
expect "the module goes" unload raw_hrtimer
finish
