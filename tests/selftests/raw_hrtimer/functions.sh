# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests share: modules, the clock's rate, the kernel log, the cases of
# the test module.  For any POSIX shell; to be sourced, after DIR is set.

DEBUGFS=/sys/kernel/debug
RHT=$DEBUGFS/raw_hrtimer
RUN=$DEBUGFS/raw_hrtimer_test
CLOCKSOURCE=/sys/devices/system/clocksource/clocksource0
TRACING=/sys/kernel/tracing
# What ftrace has hooked, and for whom.
HOOKED=$TRACING/enabled_functions

# Where kselftest keeps it, installed or not.
if [ -r "$DIR/../kselftest/ktap_helpers.sh" ]; then
	# shellcheck source=/dev/null
	. "$DIR/../kselftest/ktap_helpers.sh"
elif [ -r "$DIR/ktap_helpers.sh" ]; then
	# shellcheck source=/dev/null
	. "$DIR/ktap_helpers.sh"
else
	echo "1..0 # SKIP kselftest/ktap_helpers.sh, from a kernel's tools/testing/selftests, is missing"
	exit 4
fi

# A diagnostic line, exactly as given.
say() {
	printf '# %s\n' "$*"
}

# What is missing, as the reason; nothing was tested.
skip_all() {
	ktap_skip_all "$@"
	exit "$KSFT_SKIP"
}

# What should work does not, so that nothing can be tested: the reason.
fail_all() {
	echo "Bail out! $*"
	exit "$KSFT_FAIL"
}

# DESCRIPTION COMMAND...: passes if the command succeeds.
expect() {
	description=$1
	shift
	if "$@"; then
		ktap_test_pass "$description"
	else
		ktap_test_fail "$description"
	fi
}

# DESCRIPTION COMMAND...: passes if the command fails.
refuse() {
	description=$1
	shift
	if "$@" > /dev/null 2>&1; then
		ktap_test_fail "$description"
	else
		ktap_test_pass "$description"
	fi
}

# Every test begins here, goes on to what else it needs, and then to its plan.
# DESCRIPTION
begin() {
	ktap_print_header
	[ "$(id -u)" = 0 ] || skip_all "must be run as root"
	grep -q " $DEBUGFS debugfs " /proc/mounts ||
		mount -t debugfs debugfs "$DEBUGFS" 2> /dev/null ||
		skip_all "debugfs cannot be mounted"
	[ ! -d $TRACING ] || grep -q " $TRACING tracefs " /proc/mounts ||
		mount -t tracefs tracefs $TRACING 2> /dev/null
	have_module raw_hrtimer || skip_all "there is no module raw_hrtimer"
	say "$1"
	mark
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# NUMBER_OF_TESTS, without the one of finish
plan() {
	ktap_set_plan $(($1 + 1))
}

# And ends here, with a look at the kernel log.
finish() {
	expect "the kernel log has no BUG, WARNING or Oops" log_is_clean
	ktap_finished
}

# For what a test wants to keep, and for others by longer names: clean_up removes them.
LOG=$(mktemp)

# Processes that end with the test.
BACKGROUND=

# Whatever a test has left, also when it was interrupted.
clean_up() {
	trap - EXIT
	for process in $BACKGROUND; do
		kill "$process" 2> /dev/null
		wait "$process" 2> /dev/null
	done
	[ -z "$BENT" ] || straighten
	rm -f "$LOG" "$LOG".*
	unload raw_hrtimer_test_rival
	unload raw_hrtimer_test_kvm
	unload raw_hrtimer_test
	[ -n "$WAS_LOADED" ] || unload raw_hrtimer
}

# NAME: where a program is: one of the tests', or of KVM's selftests.
find_program() {
	for dir in "${KVM_SELFTESTS:-$DIR}" "$DIR" "$DIR/.." "$DIR/../kvm" "$DIR/../kvm/x86"; do
		if [ -x "$dir/$1" ]; then
			echo "$dir/$1"
			return
		fi
	done
	return 1
}

# Modules.

is_loaded() {
	grep -q "^$1 " /proc/modules
}

is_not_loaded() {
	! is_loaded "$1"
}

# The file, if the module lies beside the tests or is built in this tree.
module_file() {
	for file in "$DIR/test_modules/$1.ko" "$DIR/../../../$1.ko"; do
		if [ -e "$file" ]; then
			echo "$file"
			return
		fi
	done
	return 1
}

have_module() {
	module_file "$1" > /dev/null || modinfo "$1" > /dev/null 2>&1
}

# MODULE [PARAMETER=VALUE...]
load() {
	module=$1
	shift
	if file=$(module_file "$module"); then
		insmod "$file" "$@"
	else
		modprobe "$module" "$@"
	fi
}

# Succeeds as well if it is not loaded.
unload() {
	is_not_loaded "$1" || rmmod "$1"
}

# How much longer a removal may take than twice one with nothing pending, which takes seconds
# where the machine is busy.  Who waits for a timer that is far away takes longer.
AT_ONCE_MS=3000
IDLE_MS=0
# The slowest so far.
REMOVAL_MS=0

# Since boot, whatever the clock does.
now_ms() {
	awk '{ printf "%.0f\n", $1 * 1000 }' /proc/uptime
}

# Removes raw_hrtimer, and takes the time; one that hangs is given up.
remove() {
	removal=$(now_ms)
	timeout 120 rmmod raw_hrtimer || return 1
	removal=$(($(now_ms) - removal))
	[ $removal -le "$REMOVAL_MS" ] || REMOVAL_MS=$removal
}

# The same with nothing pending.
remove_idle() {
	remove || return 1
	IDLE_MS=$REMOVAL_MS
	REMOVAL_MS=0
}

removal_is_at_once() {
	say "removed in $REMOVAL_MS ms at most, with nothing pending in $IDLE_MS ms"
	[ "$REMOVAL_MS" -le $((2 * IDLE_MS + AT_ONCE_MS)) ]
}

WAS_LOADED=
is_not_loaded raw_hrtimer || WAS_LOADED=1

# Whether a CPU's timer stops in deep idle states, where another clockevent takes over.
lacks_arat() {
	grep '^flags' /proc/cpuinfo | grep -qvw arat
}

# Whether every CPU has the TSC-deadline timer for its clockevent, whatever it idles in: Y or N.
coupled() {
	if lacks_arat || cat /sys/devices/system/clockevents/clockevent[0-9]*/current_device |
		grep -qvx lapic-deadline; then
		echo N
	else
		echo Y
	fi
}

# raw_hrtimer and the test module, afresh: counters are what this test did.
# MAX_LATE_CYCLES makes lateness a failure, where the machine is repeatable.
# [PARAMETER=VALUE], of raw_hrtimer
load_test_module() {
	have_module raw_hrtimer_test || skip_all "there is no module raw_hrtimer_test"
	unload raw_hrtimer_test
	unload raw_hrtimer || skip_all "raw_hrtimer is in use"
	load raw_hrtimer "${1:-attach=off}" || fail_all "raw_hrtimer cannot be loaded"
	load raw_hrtimer_test max_late="${MAX_LATE_CYCLES:-0}" coupled="$(coupled)" ||
		fail_all "raw_hrtimer_test cannot be loaded"
}

# FILE NAME: the value of a line "NAME: VALUE".
field() {
	sed -n "s|^$2: ||p" "$1"
}

counter() {
	field "$RHT/counters" "$1"
}

# Cases of the test module.

RESULT=

# The CPU that a case, or a guest, is to be on; empty: any.
ON_CPU=

on_cpu() {
	if [ -n "$ON_CPU" ]; then
		taskset -c "$ON_CPU" "$@"
	else
		"$@"
	fi
}

# The first CPU that has no tick.
without_tick() {
	sed -n 's/^\([0-9][0-9]*\).*/\1/p' /sys/devices/system/cpu/nohz_full 2> /dev/null
}

put_case() {
	on_cpu sh -c "echo $CASE > $RUN/run"
}

# STATUS, of having put the case.
judge_case() {
	RESULT=
	if [ "$1" != 0 ]; then
		say "the test module has no case $CASE"
		return 1
	fi
	RESULT=$(cat "$RUN/result")
	echo "$RESULT" | grep -v '^ok ' | sed "s/^# //; s/^/# $CASE: /"
	! echo "$RESULT" | grep -q '^not ok ' && echo "$RESULT" | grep -q '^ok '
}

# Lines that were printed leave by the serial port afterwards, in interrupts of up to 40 us each,
# which a case would measure.
let_console_drain() {
	[ -z "$MAX_LATE_CYCLES" ] || sleep 0.1
}

# NAME [NUMBER...]: succeeds if the case found something right and nothing wrong.
run_case() {
	CASE=$*
	let_console_drain
	put_case
	judge_case $?
}

# NAME [NUMBER...]: the same, beside what comes between this and end_case.
begin_case() {
	CASE=$*
	put_case &
	CASE_PROCESS=$!
}

end_case() {
	wait $CASE_PROCESS
	judge_case $?
}

# MS NODE: a timer that is pending when this returns; a busy machine needs time to start it.
begin_pending() {
	begun=$(counter starts)
	begin_case pending "$@"
	for _ in $(seq 50); do
		[ "$(counter starts)" = "$begun" ] || break
		sleep 0.1
	done
	sleep 0.4
}

# FROM TO NODE: a timer is armed at one tick and pending when it becomes the other.
pending_while() {
	say "tick $1, then $2"
	bend "$1" 0
	settle
	begin_pending $DISTANCE_MS "$3"
	bend "$2" 0
	end_case
}

# CYCLES: whether the last case was less late, where that can be judged.
not_late() {
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(value late)" -lt "$1" ]
}

# faster or faster_elsewhere, and its CPU: a node behind the event that a clockevent is programmed
# for, by the rate of before; 20 times, at another time of the event's millisecond each.
started_after_a_speed_up() {
	case=$1
	shift
	awk 'BEGIN {
		for (n = 0; n < 20; n++)
			printf "%.4f 9000 0\n%.4f 11000 0\n", n * 0.0601, n * 0.0601 + 0.0301
	}' > "$LOG.changes"
	bend 9000 0
	begin_case "$case" 2000 "$@"
	on_cpu "$SLEW" replay "$LOG.changes" sleep 1.5 > /dev/null
	end_case
	status=$?
	straighten
	say "late by $(value late) cycles, a plain timer by $(value plain)"
	return $status
}

# NAME: a number that the last case has reported.
value() {
	echo "$RESULT" | sed -n "s/^# $1: //p" | tail -n 1
}

# The clock's rate.

BENT=

# TICK FREQUENCY, as for adjtimex: microseconds per 10 ms, and 2^-16 ppm.
# It takes effect within a tick, and fully from the next second on.
bend() {
	BENT=1
	adjtimex -t "$1" -f "$2" > /dev/null
}

straighten() {
	bend 10000 0
	BENT=
}

settle() {
	sleep 2
}

need_adjtimex() {
	adjtimex > /dev/null 2>&1 || skip_all "there is no adjtimex"
}

# One that does not count the TSC.
another_clocksource() {
	read -r names < $CLOCKSOURCE/available_clocksource
	for name in $names; do
		case $name in
		tsc | kvm-clock) ;;
		*) echo "$name"; return ;;
		esac
	done
	return 1
}

need_tsc() {
	read -r clocksource < $CLOCKSOURCE/current_clocksource
	[ "$clocksource" = tsc ] || skip_all "the clocksource is $clocksource, not tsc"
}

# The kernel log.

MARK=

mark() {
	MARK="raw_hrtimer selftest ${0##*/} $$ $(cut -d ' ' -f 1 /proc/uptime)"
	echo "$MARK" > /dev/kmsg
}

since_mark() {
	dmesg | sed "1,/$MARK/d"
}

# What the kernel says when something is wrong: oopses, warnings, stalls, and each of
# its checkers (checkers.sh shows that these are found).
SPLATS='BUG:|WARNING:|INFO:|Oops|Call Trace|general protection fault|panicked at'
SPLATS="$SPLATS|ODEBUG:|UBSAN:|KASAN:|suspicious RCU usage|possible .* detected"
SPLATS="$SPLATS|Invalid wait context|sleeping function called|called with IRQs enabled"
SPLATS="$SPLATS|DEBUG_LOCKS_WARN_ON|corruption|(rcu|RCU).*stall"

splats() {
	since_mark | grep -E "$SPLATS"
}

log_is_clean() {
	if ! dmesg | grep -q "$MARK"; then
		say "the kernel log has lost where this test began"
		return 1
	fi
	splats > /dev/null || return 0
	since_mark | sed 's/^/# /'
	return 1
}
