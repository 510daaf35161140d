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

# NAME: sets KVM_SELFTESTS to the directory where this guest is, one of KVM's selftests.
find_guest() {
	for dir in "$KVM_SELFTESTS" "$DIR" "$DIR/.." "$DIR/../kvm" "$DIR/../kvm/x86"; do
		[ -x "$dir/$1" ] || continue
		KVM_SELFTESTS=$dir
		return
	done
	return 1
}

need_guest() {
	find_guest "$1" || skip_all "of KVM's selftests $1 is not there"
}

# ARGUMENT...: runs the guest that measures LAPIC timers, for deadlines of the TSC; one
# that is early fails it.
measure_deadlines() {
	"$KVM_SELFTESTS/apic_timer_accuracy_test" --mode tscdeadline "$@"
}
