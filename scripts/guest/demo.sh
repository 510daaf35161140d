#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh TEST PATCHED_KVM NAME:TICK:FREQ:KVM[,KVM]...
#
# Runs in the machine: the test with each KVM, at each rate of the host's clock that
# names it: stock, the kernel's own, without the module, with it, and again without;
# if there are modules in the directory PATCHED_KVM, patched: these without the
# processor's timer, with raw_hrtimer and again without; hardware: these with that timer,
# without raw_hrtimer, and then with it, which is called both.  Lines that start with "@ "
# are for scripts/bench/reports/demo.py.
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
	say preemption_timer "$(cat /sys/module/kvm_intel/parameters/preemption_timer)"
	if [ "$2" = loaded ]; then
		sed 's/^/@ debugfs /' /sys/kernel/debug/raw_hrtimer/rate
		sed -n 's/^kvm: /@ attached /p' /sys/kernel/debug/raw_hrtimer/attach
	fi
	"$test" 2>&1 || status=$?
	say status "$status"
}

# KVM: one run of the test with the module, and none after it.
run_with_module()
{
	modprobe raw_hrtimer
	run "$1" loaded
	rmmod raw_hrtimer
}

# KVM
load()
{
	if [ "$1" = stock ]; then
		modprobe kvm-intel
		return
	fi
	[ -d /sys/module/kvm ] || insmod "$patched/kvm.ko"
	# shellcheck disable=SC2046	# one word for each parameter
	insmod "$patched/kvm-intel.ko" \
		$(sed -n 's/^options kvm-intel //p' /etc/modprobe.d/kvm.conf) \
		"preemption_timer=$([ "$1" = patched ] && echo 0 || echo 1)"
}

# KVM: those that follow stock have the same kvm.ko, and it takes the longest to load.
unload()
{
	rmmod kvm-intel
	[ "$1" != stock ] || rmmod kvm
}

say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
# A KVM stays for all rates: to load one takes as long as a third of a run.
for kvm in stock patched hardware; do
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
		stock)
			run stock absent
			run_with_module stock
			run stock removed
			;;
		patched)
			run_with_module patched
			run patched removed
			;;
		hardware)
			run hardware absent
			run_with_module both
			;;
		esac
	done
	[ $loaded = no ] || unload "$kvm"
done
say taint "$(cat /proc/sys/kernel/tainted)"
say "done"
