#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: early-timer.sh COMMAND...
#
# Runs in a machine whose VMX-preemption timer is early for large values (scripts/vm --timer-bits):
# shows by an APIC timer, which KVM runs in the processor's while L1 spins and does not look at
# again, that this is so, and then runs the command.  Prints KTAP.
set -u

# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1
give_guests_the_cpu

echo "TAP version 13"
echo "1..1"
/selftests/apic_timer_accuracy_test --exact --mode tscdeadline --wait spinning --distance 10000 \
	--samples 10 >/tmp/output 2>&1
sed 's/^/# /' /tmp/output
if grep -q 'spinning: early [1-9]' /tmp/output; then
	echo "ok 1 the processor's timer is early for large values"
else
	echo "not ok 1 the processor's timer is early for large values: no APIC timer was"
	exit 1
fi
exec "$@"
