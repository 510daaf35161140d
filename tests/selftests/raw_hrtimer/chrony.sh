#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The cause itself: chronyd corrects an error of the clock, at its default
# maxslewrate, while KVM's own nested timer test runs again and again.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"
. "$DIR/functions_chrony.sh"

TEST=vmx_preemption_timer_test
WITHOUT=${WITHOUT:-6}		# runs within which it has to fail without the module
WITH=${WITH:-8}			# runs that have to pass with it

# The greatest skew that was seen, in whole ppm.
GREATEST=0
note_skew() {
	tick=$(adjtimex | sed -n 's/^ *-t.*tick: *\([0-9]*\).*/\1/p')
	skew=$(((tick - 10000) * 100))
	[ $skew -ge 0 ] || skew=$((-skew))
	[ $skew -le $GREATEST ] || GREATEST=$skew
}

# RUNS: how many of them failed, in FAILED; stops at the first if $2 is given.
run_guests() {
	FAILED=0
	for run in $(seq "$1"); do
		[ $((run % 2)) = 0 ] || spoil
		sleep 1
		note_skew
		if ! "$GUEST" > "$LOG" 2>&1; then
			FAILED=$((FAILED + 1))
			sed -n 's/^ *\(Stage\|L[12]\)/# \1/p' "$LOG"
			[ -z "$2" ] || break
		fi
		note_skew
	done
	say "$FAILED of $run failed; the tick was up to $GREATEST ppm off"
}

begin "chronyd slews the clock while a nested guest's timer is pending"
need_adjtimex
need_tsc
command -v chronyd > /dev/null || skip_all "there is no chronyd"
need_guest $TEST
REFCLOCK=$(find_program refclock) || skip_all "refclock is not built"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
load_kvm || fail_all "KVM cannot be loaded"
"$GUEST" > "$LOG" 2>&1
[ $? != 4 ] || skip_all "$TEST cannot run here: $(tail -n 1 "$LOG")"

plan 4
expect "chronyd runs" start_chronyd "$REFCLOCK"
run_guests "$WITHOUT" stop
expect "without the module the guest's test fails" [ "$FAILED" -gt 0 ]
load raw_hrtimer
GREATEST=0
run_guests "$WITH"
expect "with the module it does not" [ "$FAILED" = 0 ]
expect "the clock was slewed by percents" [ "$GREATEST" -ge 10000 ]
finish
