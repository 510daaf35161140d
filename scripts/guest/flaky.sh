#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: flaky.sh [--runs N] [--schedules "SCHEDULE..."] TEST...
#
# Runs in the machine: tests that are not the project's, N times each, without raw_hrtimer
# and with it, while the host's clock is off by a constant, as +25ppm, or follows what was
# recorded of chronyd while it slewed ("chronyd"), again and again.
# scripts/bench/suites/reports.py reads the lines
#   flaky SCHEDULE absent|loaded STATUS TEST
# one for each run; this script judges nothing.
set -u

runs=1
schedules="0 -25ppm"
while :; do
	case ${1-} in
	--runs) runs=$2 ;;
	--schedules) schedules=$2 ;;
	*) break ;;
	esac
	shift 2
done

cd /selftests || exit 1
# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1
bending=

# SCHEDULE: until straighten
bend()
{
	if [ "$1" = chronyd ]; then
		what_chronyd_did 0 18 >/tmp/slew
		./slew replay --loop /tmp/slew sleep 1000000 &
		bending=$!
	else
		adjtimex -q -f $((${1%ppm} * 65536))
	fi
	sleep 3		# the second overflow takes the frequency over
}

straighten()
{
	[ -z "$bending" ] || kill "$bending"
	bending=
	wait
	adjtimex -q -t 10000 -f 0
}

sleep 5		# the log of the boot is still on its way out
for schedule in $schedules; do
	for state in absent loaded; do
		set_module $state
		bend "$schedule"
		for test; do
			for run in $(seq "$runs"); do
				timeout 600 "./$test" >/tmp/output 2>&1 </dev/null
				status=$?
				[ $status = 0 ] || grep . /tmp/output | tail -n 4 | sed "s/^/# $run: /"
				echo "flaky $schedule $state $status $test"
			done
		done
		straighten
	done
done
set_module absent
echo "flaky complete"
