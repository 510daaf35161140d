#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh TEST PATCHED_KVM NAME:TICK:FREQ:KVM[,KVM]...
#
# Runs in the machine: the test at each rate of the host's clock, with the KVMs
# that are named there: stock, the kernel's own, without the module, with it, and
# again without; if the directory PATCHED_KVM exists, with the modules in its
# folders: patched, with raw_hrtimer and again without; hardware, without; both,
# with.  Lines that start with "@ " are for scripts/bench/reports/demo.py.
set -eu

test=$1
patched=$2
shift 2

say()
{
	echo "@ $*"
}

# KVM MODULE: one run of the test.
run()
{
	status=0

	say run "$1" "$2"
	if [ "$2" = loaded ]; then
		sed 's/^/@ debugfs /' /sys/kernel/debug/raw_hrtimer/rate
		sed -n 's/^kvm: /@ attached /p' /sys/kernel/debug/raw_hrtimer/attach
	fi
	"$test" 2>&1 || status=$?
	say status "$status"
}

with_and_without_module()
{
	modprobe raw_hrtimer
	run "$1" loaded
	rmmod raw_hrtimer
	run "$1" removed
}

load_patched()
{
	insmod "$patched/$1/kvm.ko"
	# shellcheck disable=SC2046	# one word for each parameter
	insmod "$patched/$1/kvm-intel.ko" \
		$(sed -n 's/^options kvm-intel //p' /etc/modprobe.d/kvm.conf)
}

say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for rate; do
	IFS=: read -r name tick freq kvms <<-END
		$rate
	END
	# A rate for patched KVMs alone is skipped where there are none.
	case $kvms in
	*stock*) ;;
	*) [ -d "$patched" ] || continue ;;
	esac

	adjtimex -q -t "$tick" -f "$freq"
	sleep 2		# the second overflow takes the frequency over
	say rate "$name"
	adjtimex | sed -n 's/^ *-\([ft]\).*: *\(-\{0,1\}[0-9]*\).*/@ adjtimex \1 \2/p'

	for kvm in $(echo "$kvms" | tr ',' ' '); do
		if [ "$kvm" != stock ]; then
			[ -d "$patched" ] || continue
			load_patched "$kvm"
		else
			modprobe kvm-intel
			run stock absent
		fi
		case $kvm in
		stock | patched)
			with_and_without_module "$kvm"
			;;
		hardware)
			run hardware absent
			;;
		both)
			modprobe raw_hrtimer
			run both loaded
			rmmod raw_hrtimer
			;;
		esac
		rmmod kvm-intel kvm
	done
done
say taint "$(cat /proc/sys/kernel/tainted)"
say "done"
