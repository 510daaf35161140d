#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In a machine with QEMU (scripts/vm --qemu): boots /inner/vmlinuz by KVM, with
# raw_hrtimer loaded, and looks at what it says.  KTAP.

# shellcheck disable=SC2034	# functions.sh reads it
DIR=/selftests/raw_hrtimer
# shellcheck source=tests/selftests/raw_hrtimer/functions.sh
. $DIR/functions.sh

# What kvm-unit-tests' runner takes for granted.
runner_finds_all() {
	getopt -T > /dev/null
	[ $? = 4 ] && [ "$(getconf _NPROCESSORS_CONF)" -ge 1 ] &&
		timeout -k 1s --foreground 9s true &&
		[ "$({ echo word | tee /dev/stderr; } 2>&1 > /dev/null)" = word ]
}

ktap_print_header
ktap_set_plan 5
modprobe -a kvm-amd raw_hrtimer
before=$(counter starts)
timeout 600 qemu-system-x86_64 -accel kvm -cpu host -smp 1 -m 512 -nodefaults -no-reboot \
	-display none -serial stdio -device pci-testdev \
	-kernel /inner/vmlinuz -initrd /inner/initrd \
	-append "console=ttyS0 quiet panic=-1" < /dev/null > /tmp/inner.log 2>&1
status=$?
sed 's/^/# /' /tmp/inner.log
after=$(counter starts)
echo "# $((after - before)) timers were started for it"
expect "QEMU ends when its guest turns itself off" [ "$status" = 0 ]
expect "the guest has come up" grep -q "inner: up $(uname -r)" /tmp/inner.log
expect "the guest keeps time by KVM's clock or the TSC" \
	grep -qE "inner: clocksource (kvm-clock|tsc)" /tmp/inner.log
expect "its timers are armed for the TSC" [ $((after - before)) -ge 10 ]
expect "kvm-unit-tests' runner finds what it needs" runner_finds_all
ktap_finished
