#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh TEST PATCHED_KVM NAME:TICK:FREQ:KVM[,KVM]...
#
# Runs in the machine: the test with each KVM, at each rate of the host's clock that
# names it: stock, the kernel's own, without the module, with it, and again without;
# if the directory PATCHED_KVM exists, with the modules in its folders: patched, with
# raw_hrtimer and again without; hardware, without; both, with.  Lines that start with
# "@ " are for scripts/bench/reports/demo.py.
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

# KVM
load()
{
	if [ "$1" = stock ]; then
		modprobe kvm-intel
		return
	fi
	insmod "$patched/$1/kvm.ko"
	# shellcheck disable=SC2046	# one word for each parameter
	insmod "$patched/$1/kvm-intel.ko" \
		$(sed -n 's/^options kvm-intel //p' /etc/modprobe.d/kvm.conf)
}

say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
# A KVM stays for all rates: to load one takes as long as a third of a run.
for kvm in stock patched hardware both; do
	[ "$kvm" = stock ] || [ -d "$patched" ] || continue
	loaded=no
	for rate; do
		IFS=: read -r name tick freq kvms <<-END
			$rate
		END
		case ,$kvms, in
		*,$kvm,*) ;;
		*) continue ;;
		esac

		adjtimex -q -t "$tick" -f "$freq"
		sleep 2		# the second overflow takes the frequency over
		say rate "$name"
		adjtimex | sed -n 's/^ *-\([ft]\).*: *\(-\{0,1\}[0-9]*\).*/@ adjtimex \1 \2/p'

		[ $loaded = yes ] || load "$kvm"
		loaded=yes
		case $kvm in
		stock | patched)
			[ $kvm = patched ] || run stock absent
			with_and_without_module $kvm
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
	done
	[ $loaded = no ] || rmmod kvm-intel kvm
done
say taint "$(cat /proc/sys/kernel/tainted)"
say "done"
