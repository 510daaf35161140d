#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh TEST PATCHED_KVM NAME:TICK:FREQ:KVM[,KVM]...
#
# Runs in the machine: the test at each rate of the host's clock, with the KVMs
# that are named there: stock, the kernel's own, without the module, with it, and
# again without; patched, if the directory PATCHED_KVM exists, with the modules
# in it, with raw_hrtimer and again without.  Lines that start with "@ " are for scripts/bench/demo.py.
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

say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for rate; do
	IFS=: read -r name tick freq kvms <<-END
		$rate
	END
	[ "$kvms" != patched ] || [ -d "$patched" ] || continue

	adjtimex -q -t "$tick" -f "$freq"
	sleep 2		# the second overflow takes the frequency over
	say rate "$name"
	adjtimex | sed -n 's/^ *-\([ft]\).*: *\(-\{0,1\}[0-9]*\).*/@ adjtimex \1 \2/p'

	case $kvms in
	*stock*)
		modprobe kvm-intel
		run stock absent
		with_and_without_module stock
		rmmod kvm-intel kvm
		;;
	esac
	case $kvms in
	*patched*) [ -d "$patched" ] || continue ;;
	*) continue ;;
	esac

	insmod "$patched/kvm.ko"
	# shellcheck disable=SC2046	# one word for each parameter
	insmod "$patched/kvm-intel.ko" $(sed -n 's/^options kvm-intel //p' /etc/modprobe.d/kvm.conf)
	with_and_without_module patched
	rmmod kvm-intel kvm
done
say taint "$(cat /proc/sys/kernel/tainted)"
say "done"
