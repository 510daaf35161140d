#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# KVM's timers are hooked, or not, and the module says which and why: without KVM,
# by parameter, where a live patch has one of the functions, and where ftrace or
# kprobes are switched off.  Whatever is refused leaves no hook behind.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

RIVAL=raw_hrtimer_test_rival
FTRACE=/proc/sys/kernel/ftrace_enabled
KPROBES=$DEBUGFS/kprobes/enabled

# TEXT: whether the module has said so since the last mark.
said() {
	since_mark | grep -qF "raw_hrtimer: $1" && return
	since_mark | grep raw_hrtimer | sed 's/^/# /'
	return 1
}

# [PARAMETER...]: afresh, with a log of its own.
afresh() {
	unload raw_hrtimer
	mark
	load raw_hrtimer "$@"
}

# The nested timer is that of one vendor's module.
nested_is_there() {
	if [ "$(kvm_vendor)" = kvm_intel ]; then
		is nested yes
	else
		is nested "no (its module is not loaded)"
	fi
}

refused_without_kvm() {
	afresh attach=registered 2> /dev/null && return 1
	said "attach=registered: no KVM is loaded that takes a timer provider" &&
		is_not_loaded raw_hrtimer
}

waits_for_kvm() {
	afresh attach=hooked && [ "$(attached)" = none ] || return 1
	said "no KVM is loaded" || return 1
	for timer in nested lapic hyperv xen; do
		[ "$(field "$RHT/attach" $timer)" = "no (its module is not loaded)" ] || return 1
	done
}

# For scripts/bench/suites/watching.py
show_files() {
	for file in rate counters attach; do
		sed "s/^/# debugfs $file /" "$RHT/$file"
	done
}

says_all_of_them() {
	mark
	load_kvm && [ "$(attached)" = hooked ] || return 1
	show_files
	said "KVM is hooked: " && nested_is_there && is lapic yes && is hyperv yes &&
		is xen yes && is_pit_left_alone
}

is_pit_left_alone() {
	since_mark | grep -qF "pit no (it does not count the TSC)"
}

refused_by_stock_kvm() {
	afresh attach=registered 2> /dev/null && return 1
	said "attach=registered: no KVM is loaded that takes a timer provider"
}

by_parameter() {
	afresh attach=hooked lapic=N && is lapic "no (by parameter)" && is xen yes
}

none_by_parameter() {
	afresh attach=hooked nested=N lapic=N hyperv=N xen=N &&
		[ "$(attached)" = none ] && said "KVM is not hooked: " && no_hook_is_left
}

# A live patch has a callback: that timer is as before, the others are not.
a_callback_is_taken() {
	load $RIVAL function=apic_timer_fn || return 1
	afresh attach=hooked && [ "$(attached)" = hooked ] &&
		is lapic "no (another has the function, or ftrace is off)" &&
		is hyperv yes && is xen yes && nested_is_there
}

a_callback_is_free_again() {
	unload $RIVAL && afresh attach=hooked && is lapic yes
}

rival_is_refused() {
	! load $RIVAL function=apic_timer_fn 2> /dev/null &&
		! load $RIVAL function=__hrtimer_get_remaining 2> /dev/null
}

# It is found out after the callbacks were hooked: these hooks go again.
half_way() {
	unload raw_hrtimer
	load $RIVAL function=__hrtimer_get_remaining || return 1
	afresh attach=hooked && [ "$(attached)" = none ] || return 1
	said "cannot hook the hrtimer core (EBUSY): KVM's timers are as before" &&
		said "KVM is not hooked: " && no_hook_is_left
}

what_was_undone_is_free() {
	unload $RIVAL && load $RIVAL function=apic_timer_fn && unload $RIVAL
}

kvm_comes_later() {
	unload_kvm && load_kvm && [ "$(attached)" = hooked ] && is lapic yes
}

without_kprobes() {
	before=$(cat "$KPROBES")
	echo 0 > "$KPROBES"
	afresh attach=hooked
	way=$(attached)
	echo "$before" > "$KPROBES"
	[ "$way" = hooked ] && is lapic yes
}

# Whether the hooks are in place, and ftrace on, after somebody has switched it off.
cannot_be_switched_off() {
	afresh attach=hooked || return 1
	say "$(sh -c "echo 0 > $FTRACE" 2>&1)"
	on=$(cat $FTRACE)
	echo 1 > $FTRACE
	[ "$on" = 1 ] && grep -q '^hrtimer_start_range_ns .*\[raw_hrtimer\]' "$HOOKED"
}

switched_off_before() {
	unload raw_hrtimer
	mark
	echo 0 > $FTRACE
	load raw_hrtimer attach=hooked
	way=$(attached)
	verdict=$(field "$RHT/attach" lapic)
	echo 1 > $FTRACE
	[ "$way" = none ] && [ "$verdict" = "no (another has the function, or ftrace is off)" ] &&
		said "KVM is not hooked: "
}

# From 7.3 on nobody can.
ftrace_can_be_switched_off() {
	unload raw_hrtimer
	sh -c "echo 0 > $FTRACE" 2> /dev/null
	off=$(cat $FTRACE)
	echo 1 > $FTRACE
	[ "$off" = 0 ]
}

begin "which of KVM's timers are hooked, and which are not and why"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
have_module $RIVAL || skip_all "there is no module $RIVAL"
[ -r "$HOOKED" ] || skip_all "$HOOKED is missing: the kernel has no ftrace"
need_kvm
is_patched=
has_registration_point && is_patched=1
unload_kvm || skip_all "KVM is in use"
plan 15

expect "no KVM, attach=registered: refused, and said why" refused_without_kvm
expect "no KVM, attach=hooked: none is covered, and said so" waits_for_kvm
expect "KVM comes: each timer is named" says_all_of_them
if [ -n "$is_patched" ]; then
	ktap_test_skip "a KVM without the registration point: this one has it"
else
	expect "a KVM without the registration point, attach=registered: refused" \
		refused_by_stock_kvm
fi
expect "lapic=N: said so" by_parameter
expect "all of them N: no hook at all" none_by_parameter
expect "a live patch has a callback: that timer is not covered, and said so" \
	a_callback_is_taken
expect "it has gone: covered" a_callback_is_free_again
expect "a live patch that comes later is refused" rival_is_refused
expect "refused half-way: no timer is covered, no hook is left, and said so" half_way
expect "and the callbacks can be hooked by another" what_was_undone_is_free
expect "and by the module, when KVM comes again" kvm_comes_later
if [ -w "$KPROBES" ]; then
	expect "kprobes are switched off: hooked, as none is needed" without_kprobes
else
	ktap_test_skip "$KPROBES is missing"
fi
if [ -w $FTRACE ]; then
	expect "ftrace cannot be switched off by sysctl" cannot_be_switched_off
	if ftrace_can_be_switched_off; then
		expect "ftrace was switched off before: said so" switched_off_before
	else
		ktap_test_skip "ftrace was switched off before: this kernel has no switch"
	fi
else
	ktap_test_skip "ftrace cannot be switched off: $FTRACE is missing"
	ktap_test_skip "ftrace was switched off before: $FTRACE is missing"
fi
unload raw_hrtimer
finish
