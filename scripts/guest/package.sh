#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Load what modules-load.d names, as systemd does at boot; modprobe.d has xen=N.  Prints TAP.
number=0
check()		# NAME COMMAND...
{
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $name"
	else
		echo "not ok $number $name"
	fi
}

parameter()
{
	[ "$(cat /sys/module/raw_hrtimer/parameters/"$1")" = "$2" ]
}

echo 1..6
for name in $(grep -v '^#' /usr/lib/modules-load.d/*.conf); do
	check "modules-load.d: $name is loaded" modprobe "$name"
done
check "modprobe.d: xen=N" parameter xen N
check "lapic=Y is left" parameter lapic Y
check "KVM loads" modprobe kvm-amd
check "KVM is hooked" sh -c 'dmesg | grep -q "raw_hrtimer: KVM is hooked: .*lapic yes.*xen no (by parameter)"'
check "the module goes" rmmod raw_hrtimer
