#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each tracepoint has its events, as many as the counters say, with the fields that the test
# module, the guest and debugfs know otherwise; off, it has none.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

TRACING=$DEBUGFS/tracing
EVENTS=$TRACING/events/raw_hrtimer
# As tools/raw-hrtimer-top has it.
HIST='hist:keys=function.sym,late.log2:vals=late if late > 0'
# shellcheck disable=SC2034	# pending_while reads it
DISTANCE_MS=3000
DISTANCE_US=5000
COUNTS="starts restarts rearms"
TIMERS="nested lapic hyperv xen"
CLOSE=20000	# cycles from one reading of the TSC in a callback to the next

# EVENT...: these are traced from now on.
trace() {
	for count in $COUNTS; do
		eval "before_$count=$(counter "$count")"
	done
	: > $TRACING/trace
	for event in "$@"; do
		echo 1 > "$EVENTS/$event/enable" || return 1
	done
}

# And no more; $LOG.trace has what there was.
end_trace() {
	[ ! -d $EVENTS ] || echo 0 > $EVENTS/enable
	grep -v '^#' $TRACING/trace > "$LOG.trace"
	sed -n '1,3s/^/# /p' "$LOG.trace"
}

# COUNTER: by how much it has grown since trace.
grown() {
	echo $(($(counter "$1") - $(eval echo "\$before_$1")))
}

# EVENT FIELD [TEXT]: the field of each such event, of those that have the text.
fields() {
	grep " $1: .*$3" "$LOG.trace" | sed -n "s/.* $2=\([^ ]*\).*/\1/p"
}

# EVENT [TEXT]
events() {
	fields "$1" '[a-z]*' "$2" | wc -l
}

# Of the numbers on stdin.
greatest() { sort -n | tail -n 1; }
least() { sort -n | head -n 1; }

# NODE: each timer has a start and an expire for the same deadline, and a rearm where it was early.
each_timer() {
	trace start expire rearm && run_case deadline 1000 10 "$1"
	status=$?
	end_trace
	[ $status = 0 ] || return 1
	say "starts $(grown starts), restarts $(grown restarts), rearms $(grown rearms);" \
		"events: start $(events start), expire $(events expire), rearm $(events rearm)"
	[ "$(events start)" = "$(value runs)" ] && [ "$(events start)" = "$(grown starts)" ] &&
		[ "$(fields start deadline | sort)" = "$(fields expire deadline | sort)" ] &&
		[ "$(events rearm)" = "$(grown restarts)" ] && [ "$(grown rearms)" = 0 ] &&
		[ "$(events start function=shot_fn)" = "$(events start)" ] &&
		[ "$(events expire function=shot_fn)" = "$(events expire)" ] &&
		[ "$(fields start left | greatest)" -gt 0 ] || return 1
	# An emulator may stop for longer than the distance.
	[ -z "$MAX_LATE_CYCLES" ] || [ "$(fields start left | least)" -gt 0 ]
}

# The module has read the TSC before the test module has, in the same callback.
as_late_as_found() {
	say "late by $(fields expire late | least) to $(fields expire late | greatest) cycles," \
		"the test module: $(value late_least) to $(value late)"
	[ "$(fields expire late | least)" -ge 0 ] &&
		[ "$(fields expire late | greatest)" -le "$(value late)" ] &&
		[ "$(fields expire late | least)" -le "$(value late_least)" ] || return 1
	[ -z "$MAX_LATE_CYCLES" ] ||
		[ $(($(value late) - $(fields expire late | greatest))) -lt $CLOSE ]
}

slowed_down() {
	trace rate start rearm && pending_while 11000 9000 1
	status=$?
	end_trace
	moved=$(fields rearm moved | grep -c -e '^-')
	say "rearms $(grown rearms), restarts $(grown restarts); events: earlier $moved," \
		"of all $(events rearm); by $(fields rearm moved | tr '\n' ' ')ns"
	[ $status = 0 ] && [ "$moved" -gt 0 ] && [ "$moved" = "$(grown rearms)" ] &&
		[ "$(events rearm)" = $(($(grown rearms) + $(grown restarts))) ]
}

# The last event is about the rate that debugfs has, but for dither.
rate_is_that() {
	ppm=$(field "$RHT/rate" mono/raw)
	off=$(($(fields rate mono_mult | tail -n 1) - $(field "$RHT/rate" mono_mult)))
	say "rate events: $(events rate), the last $(fields rate skew_ppb | tail -n 1) ppb; $ppm"
	[ "$(events rate)" -ge 2 ] && [ ${off#-} -le 1 ] &&
		[ "$(fields rate raw_mult | tail -n 1)" = "$(field "$RHT/rate" raw_mult)" ] &&
		[ "$(fields rate tsc | tail -n 1)" = 1 ] &&
		[ "$(fields rate skew_ppb | tail -n 1)" -lt -99000000 ]
}

# The sum of all hitcounts is that of the timers.
histogram() {
	echo "$HIST" >> $EVENTS/expire/trigger || return 1
	run_case deadline 1000 10 1
	status=$?
	grep '^{' $EVENTS/expire/hist > "$LOG.hist"
	# For scripts/bench/suites/watching.py
	sed 's/^/# debugfs trigger /' $EVENTS/expire/trigger
	sed 's/^/# debugfs hist /' "$LOG.hist"
	echo "!$HIST" >> $EVENTS/expire/trigger
	hits=$(sed -n 's/.*shot_fn.*hitcount: *\([0-9]*\).*/\1/p' "$LOG.hist" |
		awk '{ hits += $1 } END { print hits + 0 }')
	say "hits: $hits, timers: $(value runs)"
	[ $status = 0 ] && [ "$hits" = "$(value runs)" ]
}

nothing_when_off() {
	trace && run_case deadline 1000 2 1
	status=$?
	end_trace
	[ $status = 0 ] && [ ! -s "$LOG.trace" ] && [ "$(grown starts)" = 10 ]
}

# The timers that debugfs says are hooked, as in the event.
hooked_timers() {
	for timer in $TIMERS; do
		[ "$(field "$RHT/attach" $timer)" != yes ] || printf '%s,' $timer
	done
}

kvm_comes_and_goes() {
	trace attach && load_kvm && is_attached
	status=$?
	expected="kvm=$(attached) hooked=$(hooked_timers)"
	unload_kvm || status=1
	end_trace
	grep -o 'kvm=.*' "$LOG.trace" > "$LOG.attach"
	sed 's/^/# /' "$LOG.attach"
	say "debugfs: $expected"
	[ $status = 0 ] && [ "$(tail -n 1 "$LOG.attach")" = "kvm=none hooked=" ] &&
		grep -qxF "${expected%,}" "$LOG.attach"
}

# Where KVM has the processor's own timer for a guest's, it is L2's that is an hrtimer.
choose_guest() {
	if [ "$(kvm_vendor)" = kvm_intel ]; then
		CALLBACK=vmx_preemption_timer_fn
		need_guest vmx_preemption_timer_test
	else
		CALLBACK=apic_timer_fn
		need_guest $MEASURING
	fi
}

run_guest() {
	if [ "$CALLBACK" = apic_timer_fn ]; then
		measure_deadlines --distance $DISTANCE_US --samples 8
	else
		"$GUEST" > "$LOG" 2>&1
	fi
}

guests_timers() {
	trace start expire && run_guest
	status=$?
	end_trace
	say "$(attached): $CALLBACK: start $(events start $CALLBACK), expire $(events expire $CALLBACK)," \
		"late by $(fields expire late $CALLBACK | least) to" \
		"$(fields expire late $CALLBACK | greatest) cycles"
	[ $status = 0 ] && [ "$(events start)" = "$(grown starts)" ] &&
		[ "$(events start $CALLBACK)" -gt 0 ] && [ "$(events expire $CALLBACK)" -gt 0 ] &&
		[ "$(fields expire late $CALLBACK | least)" -ge 0 ]
}

# Not with a trigger on an event: no kernel removes that with a module, and it warns.
removed_while_on() {
	echo 1 > $EVENTS/enable && run_guest && unload_kvm && unload raw_hrtimer && [ ! -d $EVENTS ]
}

begin "tracepoints"
unload raw_hrtimer_test && unload raw_hrtimer || skip_all "raw_hrtimer is in use"
[ -d $TRACING/events ] || skip_all "this kernel has no tracepoints"
need_adjtimex
need_tsc
need_kvm
choose_guest
run_guest
[ $? != 4 ] || skip_all "${GUEST##*/} cannot run here: $(tail -n 1 "$LOG")"
load_test_module
plan 12

for node in 0 1; do
	expect "each timer has its events, node $node" each_timer $node
	expect "they are as late as the test module finds, node $node" as_late_as_found
done
expect "the clock slows down: pending timers are moved" slowed_down
expect "and its rate is traced" rate_is_that
straighten
settle
expect "a histogram of lateness" histogram
expect "off: no events" nothing_when_off
unload raw_hrtimer_test && unload raw_hrtimer && unload_kvm && load raw_hrtimer ||
	fail_all "raw_hrtimer and KVM cannot be loaded anew"
expect "KVM comes and goes" kvm_comes_and_goes
load_kvm
expect "KVM is attached to" is_attached
expect "a guest's timers have their events" guests_timers
expect "the module is removed while they are on" removed_while_on
finish
