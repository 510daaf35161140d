#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: beside.sh [--load] [--ticks "TICK..."] TEST...
#
# Runs in the machine, with Debian's cyclictest and stress-ng in /load: cyclictest beside
# each test, without raw_hrtimer and with it, at each rate of the host's clock (adjtimex's
# tick); with --load stress-ng's timers, interval timers and timerfds run as well.  "sleep"
# is a test, too.  scripts/bench/suites/reports.py reads the lines
#   beside TICK absent|loaded STATUS TEST
#   latency TICK absent|loaded SAMPLES MIN AVG MAX TEST
# of nanoseconds; this script judges nothing.
set -u

ticks=10000
load=
while :; do
	case ${1-} in
	--load) load=y; shift ;;
	--ticks) ticks=$2; shift 2 ;;
	*) break ;;
	esac
done

cd /selftests || exit 1
# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1
PATH=/selftests:/load:$PATH
TEMP_PATH=/tmp

# The libraries that stress-ng is linked with, and a folder that it may write to.
stress()
{
	stress-ng --quiet --temp-path $TEMP_PATH --timer 1 --timer-freq 2000 --itimer 1 \
		--itimer-freq 2000 --timerfd 1 --timerfd-freq 2000 --timeout 0 &
	stressing=$!
}

# TICK ABSENT|LOADED TEST
measure()
{
	# Of one CPU, for as long as the test takes; busybox's timeout has no -s INT.
	cyclictest -q -m -N -a 0 -p 90 -i 1000 -D 3600 >/tmp/cyclictest 2>&1 &
	cyclictest=$!
	sleep 1
	# shellcheck disable=SC2086	# words
	timeout 600 $3 >/tmp/output 2>&1
	status=$?
	sed 's/^/# /' /tmp/output
	kill -INT $cyclictest
	wait $cyclictest
	echo "beside $1 $2 $status $3"
	sed -n 's/.*C: *\([0-9]*\) Min: *\([0-9]*\) Act:.*Avg: *\([0-9]*\) Max: *\([0-9]*\).*/\1 \2 \3 \4/p' \
		/tmp/cyclictest | sed "s/^/latency $1 $2 /; s|\$| $3|"
}

sleep 5
for tick in $ticks; do
	for state in absent loaded; do
		rmmod raw_hrtimer 2>/dev/null
		[ $state = absent ] || modprobe raw_hrtimer || exit 1
		adjtimex -q -t "$tick"
		sleep 2
		[ -z "$load" ] || stress
		for test; do
			measure "$tick" $state "$test"
		done
		[ -z "$load" ] || kill $stressing
		wait
	done
done
adjtimex -q -t 10000
rmmod raw_hrtimer
echo "beside complete"
