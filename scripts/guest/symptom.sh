#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the machine: KVM's nested timer test with the clock 25 ppm slow, three times
# without the module, in which it has to fail, and three times with it.  KTAP;
# scripts/bench/figures reads the lines that begin with "@ ".
set -u

test=/selftests/vmx_preemption_timer_test
count=0

# ABSENT|LOADED: one run.
run()
{
	status=0
	count=$((count + 1))
	$test > /tmp/said 2>&1 || status=$?
	sed -n 's/.*L2 PT expiry TSC (\([0-9]*\)) , L2 TSC deadline (\([0-9]*\))$/\1 \2/p' /tmp/said |
		while read -r last deadline; do
			echo "@ symptom $1 $status $((last - deadline))"
		done
	sed 's/^/# /' /tmp/said
	if [ "$1" = absent ]; then
		[ $status != 0 ]
	else
		[ $status = 0 ]
	fi && verdict=ok || verdict="not ok"
	echo "$verdict $count module $1: status $status"
}

echo "TAP version 13"
echo "1..6"
modprobe kvm-intel
adjtimex -q -f $((-25 * 65536))
sleep 7		# the second overflow takes the frequency over
for module in absent loaded; do
	[ $module = absent ] || modprobe raw_hrtimer
	for _ in 1 2 3; do
		run $module
	done
done
