#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: guest-load.sh TICK...
#
# In a machine with QEMU (scripts/vm --qemu): boots the Linux of /inner by KVM, and has it run
# cyclictest, alone and beside stress-ng's timers, at each rate of the host's clock (adjtimex's
# tick), without raw_hrtimer and with it.  scripts/bench/suites/guests.py reads the lines
#   guest TICK absent|loaded BESIDE SAMPLES MIN AVG MAX INTERRUPTS
# of nanoseconds by the guest's clock; this script judges nothing.
set -u

# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
log=/tmp/inner.log

# NUMBER PATTERN: until the guest has said it so often.
wait_for()
{
	for _ in $(seq 600); do
		[ "$(grep -c "$2" $log)" -lt "$1" ] || return 0
		kill -0 $qemu 2>/dev/null || break
		sleep 1
	done
	sed 's/^/# /' $log
	echo "# the guest does not say '$2' $1 times"
	exit 1
}

load_kvm || exit 1
mkfifo /tmp/in
: >$log
qemu-system-x86_64 -accel kvm -cpu host -smp 1 -m 384 -nodefaults -no-reboot -display none \
	-serial stdio -kernel /inner/vmlinuz -initrd /inner/initrd \
	-append "console=ttyS0 quiet panic=-1 tsc=reliable" </tmp/in >$log 2>&1 &
qemu=$!
exec 3>/tmp/in
wait_for 1 "^inner: up"
count=0
for tick; do
	for state in absent loaded; do
		set_module $state
		adjtimex -q -t "$tick"
		sleep 2
		for beside in nothing stress-ng; do
			count=$((count + 1))
			echo "# step $count of $(($# * 4)): beside $beside at tick $tick, module $state"
			echo $beside >&3
			wait_for $count "^inner: done"
			sed -n "s/\r//; s/^inner: $beside/guest $tick $state $beside/p" $log | tail -n 1
		done
	done
done
echo end >&3
wait $qemu
sed 's/^/# /' $log
adjtimex -q -t 10000
set_module absent
echo "guest complete"
