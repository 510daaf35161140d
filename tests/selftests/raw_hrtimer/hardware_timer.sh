#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# KVM runs a guest's APIC timer in the processor's VMX-preemption timer while the vCPU
# runs, unless the kernel's command line says kvm_intel.preemption_timer=0: so that the
# other tests are known to have run in the one way or in the other.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

PARAMETER=/sys/module/kvm_intel/parameters/preemption_timer
EVENT=$TRACING/events/kvm/kvm_hv_timer_state

# How often KVM has started the hardware's timer for a guest that spins for its own.
count_starts() {
	: > "$TRACING/trace"
	echo 1 > "$EVENT/enable"
	measure_deadlines --wait spinning --distance 10000 --samples 5
	status=$?
	echo 0 > "$EVENT/enable"
	started=$(grep -c 'kvm_hv_timer_state: .* hv_timer 1$' "$TRACING/trace")
	say "started $started times for 5 deadlines"
	return $status
}

is_in_hardware() {
	count_starts && [ "$started" -ge 5 ]
}

is_not_in_hardware() {
	count_starts && [ "$started" = 0 ]
}

begin "the APIC timer in the processor's VMX-preemption timer"
need_kvm
[ -r $PARAMETER ] || skip_all "KVM has a timer of the hardware on Intel's processors only"
[ -w "$EVENT/enable" ] || skip_all "the kernel has no trace event kvm_hv_timer_state"
need_guest $MEASURING
plan 2

read -r found < $PARAMETER
if grep -qE 'kvm[-_]intel\.preemption_timer=[0nN]' /proc/cmdline; then
	expect "preemption_timer is N, as the command line says" [ "$found" = N ]
	expect "it is not used" is_not_in_hardware
else
	expect "preemption_timer is Y" [ "$found" = Y ]
	expect "it is used" is_in_hardware
fi
finish
