#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: main.sh PART...
#
# Runs in the machine, with patched KVMs' modules in /kvm, /kvm-hardware, and /kvm-both, if there
# are any; the kernel's own are where modprobe finds them.  Lines that start with "@ " are for
# scripts/bench/reports/measure.py, as are what the guests and test modules print.  A part:
#
#   accuracy:SCHEDULE,...:DISTANCE_US/SAMPLES,...[:DISTANCE_US/SAMPLES,...]
#	each variant under each schedule; the last are for an L2 that spins
#   timers:SCHEDULE,...:DISTANCE_US/TIMES,...
#	a node beside a plain hrtimer
#   cost
#	instructions, where a cycle is one
#   arms
#	what a nested timer costs an entry of L2, where a cycle is an instruction
#   growth:SECONDS:CPUS,...:NODES,...
#	pending nodes, and a rate that changes in every tick: growth.sh
#
# A schedule is TICK+FREQ (adjtimex), or change, or chronyd.
set -u

here=${0%/*}
tests=/selftests/raw_hrtimer
debugfs=/sys/kernel/debug

say()
{
	echo "@ $*"
}

die()
{
	say "failed $*"
	exit 1
}

# TICK+FREQ or TICK-FREQ
bend()
{
	tick=${1%%[+-]*}
	freq=${1#"$tick"}
	adjtimex -q -t "$tick" -f "${freq#+}" || die "adjtimex $1"
}

settle()
{
	case $1 in
	change | chronyd) bend 10000+0 ;;
	*) bend "$1" ;;
	esac
	sleep 2		# the second overflow takes the frequency over
	say "schedule $1"
	adjtimex | sed -n 's/^ *-\([ft]\).*: *\(-\{0,1\}[0-9]*\).*/@ adjtimex \1 \2/p'
	if [ -r $debugfs/raw_hrtimer/rate ]; then
		sed 's/^/@ rate /' $debugfs/raw_hrtimer/rate
	fi
}

# shellcheck source=scripts/guest/measure/accuracy.sh
. "$here/accuracy.sh"
# shellcheck source=scripts/guest/measure/module.sh
. "$here/module.sh"
cd $tests || die "there is no $tests"

say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
say cpus "$(nproc)"
say khz "$(dmesg | sed -n 's/.*tsc: Detected \([0-9.]*\) MHz.*/\1/p' | tail -n 1)"
for part; do
	arguments=$(echo "${part#*:}" | tr : ' ')
	say "part ${part%%:*}"
	# shellcheck disable=SC2086
	${part%%:*} $arguments
done
say "done"
