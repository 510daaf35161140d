#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# raw_hrtimer and KVM find each other whichever is loaded first, keep apart when
# told to, and either can be removed and loaded again while the other stays.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

ERROR=

# ERRNO_TEXT MODULE [PARAMETER...]: loading fails, for that reason.
load_fails() {
	why=$1
	shift
	ERROR=$(load "$@" 2>&1) && return 1
	say "$ERROR"
	echo "$ERROR" | grep -qi "$why" && is_not_loaded "$1"
}

# ATTACH: the way that the parameter says
registers() {
	load raw_hrtimer attach="$1" && is_registered
}

is_alone() {
	load raw_hrtimer attach="$1" && ! is_registered
}

# A registration that was given back can be had by another.
provider_can_register() {
	load raw_hrtimer_test_kvm && unload raw_hrtimer_test_kvm
}

kvm_comes_and_goes() {
	for _ in 1 2 3 4 5; do
		unload_kvm || return 1
		! is_registered || return 1
		load_kvm || return 1
		is_registered || return 1
	done
}

raw_hrtimer_comes_and_goes() {
	for _ in $(seq 10); do
		unload raw_hrtimer || return 1
		registers auto || return 1
	done
}

begin "registration with KVM"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
have_module raw_hrtimer_test_kvm || skip_all "there is no module raw_hrtimer_test_kvm"
need_patched_kvm
plan 15

expect "KVM first: registered" registers auto
expect "a second provider is refused: busy" load_fails busy raw_hrtimer_test_kvm
expect "and the first is still registered" is_registered
expect "removed while KVM stays" unload raw_hrtimer
expect "its registration is free again" provider_can_register
expect "an incomplete provider is refused" load_fails invalid raw_hrtimer_test_kvm incomplete=1
expect "attach=off: not registered" is_alone off
unload raw_hrtimer
expect "attach=registered: registered" registers registered
unload raw_hrtimer

load raw_hrtimer_test_kvm
expect "another provider first: raw_hrtimer does without" is_alone auto
unload raw_hrtimer
expect "another provider first: attach=registered fails" \
	load_fails "" raw_hrtimer attach=registered
unload raw_hrtimer_test_kvm

expect "KVM can be removed" unload_kvm
load raw_hrtimer
load_kvm
expect "raw_hrtimer first: registered when KVM comes" is_registered
expect "KVM removed and loaded again while raw_hrtimer stays" kvm_comes_and_goes
expect "raw_hrtimer removed and loaded again while KVM stays" raw_hrtimer_comes_and_goes
unload_kvm
expect "raw_hrtimer can be removed when KVM has gone" unload raw_hrtimer
finish
