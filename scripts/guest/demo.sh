#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh TEST NAME:TICK:FREQ...
#
# Runs in the machine: the test at each rate of the host's clock, without the
# module, with it, and again without.  Lines that start with "@ " are for
# scripts/bench/demo.py.
set -eu

test=$1
shift

say()
{
	echo "@ $*"
}

run()
{
	status=0

	say run "$1"
	"$test" 2>&1 || status=$?
	say status "$status"
}

modprobe kvm-intel
say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for rate; do
	name=${rate%%:*}
	freq=${rate##*:}
	tick=${rate#*:}
	tick=${tick%:*}

	adjtimex -q -t "$tick" -f "$freq"
	sleep 2		# the second overflow takes the frequency over
	say rate "$name"
	adjtimex | sed -n 's/^ *-\([ft]\).*: *\(-\{0,1\}[0-9]*\).*/@ adjtimex \1 \2/p'
	for module in absent loaded removed; do
		case $module in
		loaded)
			modprobe raw_hrtimer
			sed 's/^/@ debugfs /' /sys/kernel/debug/raw_hrtimer/rate
			;;
		removed)
			rmmod raw_hrtimer
			;;
		esac
		run $module
	done
done
say taint "$(cat /proc/sys/kernel/tainted)"
say "done"
