#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: verdicts.sh [--ticks "TICK..."] [--limit SECONDS] TEST...
#
# Runs in the machine: tests that are not the project's, each without raw_hrtimer
# and with it, at each rate of the host's clock (adjtimex's tick; default: 10000).
# One that does not end in the same way is run twice more, both ways, so that one
# which does not repeat can be told.  scripts/bench/suites/verdicts.py reads the lines
#   verdict TICK absent|loaded STATUS TEST
# and compares; this script judges nothing.
set -u

ticks=10000
limit=120
while :; do
	case ${1-} in
	--ticks) ticks=$2 ;;
	--limit) limit=$2 ;;
	*) break ;;
	esac
	shift 2
done

cd /selftests || exit 1
# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1

# TICK ABSENT|LOADED TEST...; leaves the statuses in /tmp/TICK-TEST.ABSENT|LOADED
sweep()
{
	sweep_tick=$1
	sweep_module=$2
	shift 2
	set_module "$sweep_module"
	for test; do
		# A test may have bent the clock itself.
		adjtimex -q -t "$sweep_tick" -f 0
		sleep 2
		begin=$(cut -d . -f 1 /proc/uptime)
		timeout "$limit" "./$test" >/tmp/output 2>&1 </dev/null
		status=$?
		echo "# $test: $(($(cut -d . -f 1 /proc/uptime) - begin)) s, its last lines:"
		grep . /tmp/output | tail -n 4 | cut -c 1-200 | sed 's/^/#   /'
		echo "verdict $sweep_tick $sweep_module $status $test"
		echo $status >"/tmp/$sweep_tick-$test.$sweep_module"
	done
}

for tick in $ticks; do
	sweep "$tick" absent "$@"
	sweep "$tick" loaded "$@"
	again=
	for test; do
		cmp -s "/tmp/$tick-$test.absent" "/tmp/$tick-$test.loaded" || again="$again $test"
	done
	if [ -n "$again" ]; then
		echo "# differ, run again:$again"
		for module in absent loaded absent loaded; do
			# shellcheck disable=SC2086
			sweep "$tick" $module $again
		done
	fi
done
set_module absent
adjtimex -q -t 10000 -f 0
echo "verdicts complete"
