#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Load what modules-load.d names, as systemd does at boot; modprobe.d has xen=N.  Prints TAP.
DIR=/selftests/raw_hrtimer
# shellcheck source=tests/selftests/raw_hrtimer/functions.sh
. $DIR/functions.sh

parameter()
{
	[ "$(cat /sys/module/raw_hrtimer/parameters/"$1")" = "$2" ]
}

ktap_print_header
ktap_set_plan 6
for name in $(grep -v '^#' /usr/lib/modules-load.d/*.conf); do
	expect "modules-load.d: $name is loaded" modprobe "$name"
done
expect "modprobe.d: xen=N" parameter xen N
expect "lapic=Y is left" parameter lapic Y
expect "KVM loads" modprobe kvm-amd
expect "KVM is hooked" sh -c 'dmesg | grep -q "raw_hrtimer: KVM is hooked: .*lapic yes.*xen no (by parameter)"'
expect "the module goes" rmmod raw_hrtimer
ktap_finished
