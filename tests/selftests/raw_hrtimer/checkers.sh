#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: checkers.sh FAULT...
#
# The kernel's checkers are awake: each of the faults is committed and has to be
# reported, in words that make every test fail.  To be run by name, in a machine of
# its own: a kernel that has reported one fault may not report another (lockdep ends
# with its first report, KASAN tells of one), and the Rust ones kill the task.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

# FAULT: sets MODULE, KIND for it and REPORT, what the checker says.
describe() {
	MODULE=raw_hrtimer_test_fault
	KIND=$1
	case $1 in
	use_after_free) REPORT="KASAN: slab-use-after-free in use_after_free" ;;
	lock_order) REPORT="possible circular locking dependency detected" ;;
	lock_nesting) REPORT="BUG: Invalid wait context" ;;
	sleep_atomic) REPORT="BUG: sleeping function called from invalid context" ;;
	rcu) REPORT="suspicious RCU usage" ;;
	active_timer) REPORT="ODEBUG: free active .* hrtimer" ;;
	irq_flags) REPORT="raw_local_irq_restore() called with IRQs enabled" ;;
	this_cpu) REPORT="BUG: using smp_processor_id() in preemptible" ;;
	shift) REPORT="UBSAN: shift-out-of-bounds" ;;
	bounds) REPORT="UBSAN: array-index-out-of-bounds" ;;
	list) REPORT="list_del corruption" ;;
	rust_assertion) KIND=1 REPORT="panicked at .*fault_rust" ;;
	rust_overflow) KIND=2 REPORT="attempt to add with overflow" ;;
	rust_use_after_free) KIND=3 REPORT="KASAN: slab-use-after-free in .*fault_rust" ;;
	*) return 1 ;;
	esac
	case $1 in
	rust_*) MODULE=raw_hrtimer_test_fault_rust ;;
	esac
}

# Loading it is what commits the fault.  Its task may be killed, so its exit status
# says nothing; the kernel's log does.
commit() {
	mark
	load $MODULE kind="$KIND" 2> /dev/null
	unload $MODULE 2> /dev/null
	MISSING=$(since_mark | sed -n 's/.*this kernel has no /no /p')
}

is_reported() {
	since_mark | grep -q "$REPORT" && return
	since_mark | sed 's/^/# /'
	return 1
}

is_dirty() {
	! log_is_clean > /dev/null
}

begin "the kernel's checkers"
[ $# != 0 ] || skip_all "no fault was named: this is for a machine of its own"
for fault in "$@"; do
	describe "$fault" || skip_all "there is no fault $fault"
	have_module $MODULE || skip_all "there is no module $MODULE"
done
ktap_set_plan $(($# * 2))

for fault in "$@"; do
	describe "$fault"
	commit
	if [ -n "$MISSING" ]; then
		ktap_test_skip "$fault is reported: $MISSING"
		ktap_test_skip "$fault makes a test fail: $MISSING"
		continue
	fi
	expect "$fault is reported" is_reported
	expect "$fault makes a test fail" is_dirty
done
ktap_finished
