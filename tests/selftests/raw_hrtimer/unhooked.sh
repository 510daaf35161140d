#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel has no ftrace with arguments, or no kprobes: the module says in one sentence that it
# cannot hook this KVM, and refuses attach=hooked; KVM's guests run as before.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

WHY="this kernel has no ftrace with arguments, or no kprobes"

# [PARAMETER...]
afresh() {
	unload raw_hrtimer
	mark
	load raw_hrtimer "$@"
}

says_why() {
	afresh && since_mark | grep raw_hrtimer | sed 's/^/# /' && [ "$(attached)" = none ] &&
		since_mark | grep -q "raw_hrtimer: KVM is not hooked: $WHY; .*provider needs neither\$" ||
		return 1
	for timer in nested lapic hyperv xen; do
		[ "$(field "$RHT/attach" $timer)" = "no ($WHY)" ] || return 1
	done
}

# PARAMETER WORDS
refused() {
	afresh "$1" 2> /dev/null && return 1
	since_mark | grep -qF "raw_hrtimer: $2" && is_not_loaded raw_hrtimer
}

begin "a kernel that lets nobody hook KVM"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
grep -q ' register_kprobe$' /proc/kallsyms && skip_all "this kernel has kprobes"
need_tsc
need_kvm
has_registration_point && skip_all "this KVM takes a timer provider: nobody has to hook it"
need_guest $MEASURING
plan 4

expect "not hooked, and said why" says_why
expect "a guest runs beside it" measure_deadlines --distance 5000 --samples 4
expect "attach=hooked: refused, and said why" refused attach=hooked \
	"attach=hooked: $WHY"
expect "attach=registered: refused, and said why" refused attach=registered \
	"attach=registered: no KVM is loaded that takes a timer provider"
finish
