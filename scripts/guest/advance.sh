#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: advance.sh [--ppm "PPM..."] [--distances "US..."] [--time US]
#
# Runs in the machine: what KVM's adaptive timer advance (lapic_timer_advance_ns) settles
# at, for timers of these distances of a guest that spins, without raw_hrtimer and with it.
# It moves by an eighth of what is missing with each timer, so many times as fit in --time.
# scripts/bench/suites/reports.py reads the lines
#   advance PPM absent|loaded US NS
set -u

ppm="0 500 -500"
distances="1000 2000 4000"
time=300000
while :; do
	case ${1-} in
	--ppm) ppm=$2 ;;
	--distances) distances=$2 ;;
	--time) time=$2 ;;
	*) break ;;
	esac
	shift 2
done

cd /selftests || exit 1
# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1

# US: the last that is seen of it while the guest runs
settled()
{
	: >/tmp/output
	./apic_timer_accuracy_test --mode tscdeadline --wait spinning --distance "$1" \
		--samples $((time / $1)) >/tmp/output 2>&1 &
	guest=$!
	ns=none
	for _ in $(seq 2000); do
		! grep -q '^# Totals' /tmp/output || break
		seen=$(cat /sys/kernel/debug/kvm/*/vcpu0/lapic_timer_advance_ns 2>/dev/null)
		ns=${seen:-$ns}
		usleep 30000
	done
	wait $guest || echo "# status $?" >>/tmp/output
	grep -E 'spinning|status' /tmp/output | sed 's/^/# /'
}

sleep 5
for off in $ppm; do
	for state in absent loaded; do
		set_module $state
		adjtimex -q -f $((off * 65536))
		sleep 3
		for us in $distances; do
			settled "$us"
			echo "advance $off $state $us $ns"
		done
	done
done
adjtimex -q -f 0
set_module absent
echo "advance complete"
