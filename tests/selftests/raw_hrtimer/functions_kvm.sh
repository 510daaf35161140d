# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests that need KVM share; to be sourced after functions.sh.

# The vendor's module, by what the processor has.
kvm_vendor() {
	if grep -q '^flags.* vmx' /proc/cpuinfo; then
		echo kvm_intel
	elif grep -q '^flags.* svm' /proc/cpuinfo; then
		echo kvm_amd
	else
		return 1
	fi
}

load_kvm() {
	modprobe "$(kvm_vendor)"
}

unload_kvm() {
	unload "$(kvm_vendor)" && unload kvm
}

# With KVM loaded, and able to be removed, afterwards.
need_kvm() {
	kvm_vendor > /dev/null || skip_all "the processor has neither VMX nor SVM"
	load_kvm || skip_all "$(kvm_vendor) cannot be loaded"
}

need_patched_kvm() {
	need_kvm
	grep -q ' kvm_register_tsc_timer_ops\>' /proc/kallsyms ||
		skip_all "KVM has no registration point for timers (patches/kvm)"
}

# What debugfs says of KVM.
attached() {
	field "$RHT/attach" kvm
}

is_registered() {
	[ "$(attached)" = registered ]
}

# Registered or hooked.
is_attached() {
	case $(attached) in
	registered | stock) ;;
	*) return 1 ;;
	esac
}
