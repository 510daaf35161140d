#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# KVM is built into the kernel, Intel's and AMD's both: it is hooked as a module is, or
# not as asked for, and a guest's timers are exact.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

afresh() {
	unload raw_hrtimer
	mark
	load raw_hrtimer "$@"
}

# Whichever vendor's this processor has, the other's is there as well.
all_are_covered() {
	afresh && since_mark | grep raw_hrtimer | sed 's/^/# /' && [ "$(attached)" = hooked ] &&
		is nested yes && is lapic yes && is hyperv yes && is xen yes
}

hooked_in_the_kernel() {
	grep -q '^apic_timer_fn .*\[raw_hrtimer\]' "$HOOKED" &&
		! grep -q '^apic_timer_fn \[kvm\]' "$HOOKED"
}

by_parameter() {
	afresh lapic=N && is lapic "no (by parameter)" && is xen yes
}

refused() {
	afresh attach=registered 2> /dev/null && return 1
	since_mark | grep -qF "attach=registered: no KVM is loaded that takes a timer provider"
}

# TICK
exact() {
	bend "$1" 0
	settle
	starts=$(counter starts)
	measure_deadlines --distance 5000 --samples 10 || return 1
	say "timers: $(($(counter starts) - starts)), unseen: $(counter unseen)"
	[ $(($(counter starts) - starts)) -ge 10 ] && [ "$(counter unseen)" = 0 ]
}

no_entry_is_left() {
	for _ in $(seq 100); do
		[ "$(counter entries)" != 0 ] || return 0
		sleep 0.1
	done
	say "entries: $(counter entries)"
	return 1
}

is_removed() {
	unload raw_hrtimer && no_hook_is_left
}

begin "a KVM that is built into the kernel"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_tsc
need_adjtimex
kvm_vendor > /dev/null || skip_all "the processor has neither VMX nor SVM"
[ -e /dev/kvm ] && ! grep -qE '^kvm(_intel|_amd)? ' /proc/modules ||
	skip_all "KVM is not built into this kernel"
need_guest $MEASURING
plan 11

expect "all of its timers are covered, and said so" all_are_covered
expect "the hooks are in the kernel's own code" hooked_in_the_kernel
for tick in 10000 9000 11000; do
	expect "a guest's timers are exact at tick $tick" exact $tick
done
expect "its entries go with it" no_entry_is_left
straighten
expect "removed, without a hook left" is_removed
expect "a guest runs" measure_deadlines --distance 5000 --samples 4
expect "lapic=N: said so" by_parameter
expect "attach=registered: refused, and said why" refused
expect "removed again" is_removed
finish
