# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests that need KVM share; to be sourced after functions.sh.  The scripts
# in scripts/guest do without that, for load_kvm and set_module alone.

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

# Guests have a real-time priority: let it be kept for longer than a second, and let the log of
# the boot be out, which is still on its way.  For those of scripts/guest, which are not tests.
give_guests_the_cpu() {
	for runtime in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		[ ! -e "$runtime" ] || echo 0 > "$runtime"
	done
	sleep 5
}

# BEFORE SECONDS: what was recorded of chronyd, for "slew replay": from so long before it began to
# slew, for so long.  For those of scripts/guest, which are not tests.
what_chronyd_did() {
	awk -v before="$1" -v seconds="$2" '
		!/^#/ && $2 != 10000 && !begin { begin = $1 - before }
		begin && $1 < begin + seconds { print $1 - begin, $2, $3 }
	' "${SLEW_CHRONYD:-/selftests/raw_hrtimer/slew_chronyd.txt}"
}

# absent|loaded: has raw_hrtimer so, and attached to the KVM that is loaded; else the script
# ends.  For those of scripts/guest, which are not tests.
set_module() {
	rmmod raw_hrtimer 2> /dev/null
	[ "$1" = loaded ] || return 0
	modprobe raw_hrtimer || exit 1
	grep -qE '^kvm: (registered|hooked)$' /sys/kernel/debug/raw_hrtimer/attach || exit 1
}

unload_kvm() {
	unload "$(kvm_vendor)" && unload kvm
}

# With KVM loaded, and able to be removed, afterwards.
need_kvm() {
	kvm_vendor > /dev/null || skip_all "the processor has neither VMX nor SVM"
	load_kvm || fail_all "$(kvm_vendor) cannot be loaded"
}

# Whether the KVM that is loaded offers it: patches/kvm.
has_registration_point() {
	grep -q ' kvm_register_tsc_timer_ops\>' /proc/kallsyms
}

need_patched_kvm() {
	need_kvm
	has_registration_point ||
		skip_all "KVM has no registration point for timers (patches/kvm)"
}

# What debugfs says of KVM.
attached() {
	field "$RHT/attach" kvm
}

# TIMER VERDICT: what debugfs says of it, and the log since the last mark.
is() {
	[ "$(field "$RHT/attach" "$1")" = "$2" ] && since_mark | grep -qF "$1 $2, "
}

no_hook_is_left() {
	[ ! -r "$HOOKED" ] || ! grep -q '\[raw_hrtimer\]' "$HOOKED"
}

is_registered() {
	[ "$(attached)" = registered ]
}

# Registered or hooked.
is_attached() {
	case $(attached) in
	registered | hooked) ;;
	*) return 1 ;;
	esac
}

# raw_hrtimer beside a KVM that it attaches to.
load_attached() {
	load raw_hrtimer || fail_all "raw_hrtimer cannot be loaded"
	is_attached || fail_all "raw_hrtimer does not attach to this KVM"
	say "KVM: $(attached)"
}

# NAME: sets GUEST, the path of this one of KVM's selftests.
need_guest() {
	GUEST=$(find_program "$1") || skip_all "of KVM's selftests $1 is not there"
}

# The guest that measures LAPIC timers, for deadlines of the TSC; one that is early fails it.
MEASURING=apic_timer_accuracy_test

# ARGUMENT...: runs it, where GUEST is that one, and shows what it says.
#
# KVM's own start of the timer reads the clock, and then the TSC.  Where a hypervisor takes the
# processor away in between, the timer is early by as much, with any module or none (kvm.rst):
# then it has to happen twice in a row.
measure_deadlines() {
	measure_once "$@"
	measured=$?
	if [ $measured = 1 ] && ! has_registration_point &&
		grep -q '^flags.* hypervisor' /proc/cpuinfo; then
		say "once more: this processor can be taken away from KVM"
		measure_once "$@"
		measured=$?
	fi
	return $measured
}

measure_once() {
	on_cpu "$GUEST" --exact --mode tscdeadline "$@" > "$LOG" 2>&1
	set -- $?
	sed 's/^/# /' "$LOG"
	return "$1"
}
