#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A KVM whose callbacks have other names, as a later one may: what is not found is
# as before and the log says so, the rest is covered; and a guest runs.
#
# OTHER_KVM has such modules: some/kvm.ko without xen_timer_callback, none/kvm.ko
# without any of the callbacks.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

MISSING="no (its module has no such function)"

# KIND: KVM's module of this kind, and the vendor's, which is the kernel's own.
load_other() {
	unload_kvm || return 1
	insmod "$OTHER_KVM/$1/kvm.ko" && load_kvm
}

some_are_covered() {
	mark
	load raw_hrtimer attach=hooked || return 1
	say "$(since_mark | grep 'KVM is hooked')"
	[ "$(attached)" = hooked ] && is xen "$MISSING" && is lapic yes && is hyperv yes
}

none_is_covered() {
	mark
	load raw_hrtimer attach=hooked || return 1
	say "$(since_mark | grep 'KVM is not hooked')"
	[ "$(attached)" = none ] && is xen "$MISSING" && is lapic "$MISSING" &&
		is hyperv "$MISSING" && no_hook_is_left
}

begin "a KVM with other names"
OTHER_KVM=${OTHER_KVM:-/other-kvm}
[ -r "$OTHER_KVM/some/kvm.ko" ] || skip_all "$OTHER_KVM has no such KVM"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_kvm
need_guest $MEASURING
plan 8

expect "one callback has another name: KVM is loaded" load_other some
expect "the others are covered, and said so" some_are_covered
expect "a guest runs" measure_deadlines --samples 2 --distance 1000
expect "the module can be removed" unload raw_hrtimer
expect "all callbacks have other names: KVM is loaded" load_other none
expect "none is covered, and said so" none_is_covered
expect "a guest runs" measure_deadlines --samples 2 --distance 1000
expect "the module can be removed" unload raw_hrtimer
unload_kvm
finish
