#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tracers on the functions that the module hooks, which come before it and after it:
# each has its events, and a guest's timers are exact all the same.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"
. "$DIR/functions_kvm.sh"

CALLBACK=apic_timer_fn
# Those that a guest's timers call each time, and all.
CALLED="hrtimer_start_range_ns hrtimer_cancel hrtimer_try_to_cancel"
HRTIMER="$CALLED __hrtimer_get_remaining"
TICKS=${TICKS:-9000 11000}
STACK=/proc/sys/kernel/stack_tracer_enabled

# Each tracer: whether this kernel has it, on, off, and how many events it has; by name.

# NAME: of those that trace functions.
tracer_on() {
	echo "$HRTIMER $CALLBACK" > $TRACING/set_ftrace_filter && echo "$1" > $TRACING/current_tracer
}

tracer_off() {
	echo nop > $TRACING/current_tracer
	echo > $TRACING/set_ftrace_filter
}

# COMMAND [ARGUMENT]: the least that it prints of a function that a guest's timers call.
least() {
	for function in $CALLED $CALLBACK; do
		"$1" "$function" "${2-}"
	done | sort -n | head -n 1
}

# As the function tracer has it, and the graph.
in_trace() {
	grep -cE " $1( <-| \[[a-z_]*\]\(|\()" $TRACING/trace
}

has_function() { grep -qw function $TRACING/available_tracers; }
on_function() { tracer_on function; }
off_function() { tracer_off; }
events_function() { least in_trace; }

has_graph() { grep -qw function_graph $TRACING/available_tracers; }
on_graph() { tracer_on function_graph; }
off_graph() { tracer_off; }
events_graph() { least in_trace; }

# KIND FILE GROUP: events of that kind on each of the functions.
dynamic_on() {
	for function in $HRTIMER $CALLBACK; do
		echo "$1:raw_hrtimer_$3/${1}_$function $function" >> "$2" || return 1
	done
	echo 1 > $TRACING/events/raw_hrtimer_$3/enable
}

# FILE GROUP
dynamic_off() {
	echo 0 > "$TRACING/events/raw_hrtimer_$2/enable"
	sed -n "s|^[a-z][0-9]*:\(raw_hrtimer_$2/[^ ]*\) .*|-:\1|p" "$1" > "$LOG.remove"
	while read -r line; do
		echo "$line" >> "$1"
	done < "$LOG.remove"
}

# FUNCTION KIND: how often its probe was hit.
hits() {
	awk -v name="$2_$1" '$1 == name { hits = $2 } END { print hits + 0 }' $TRACING/kprobe_profile
}

has_kprobe() { [ -w $TRACING/kprobe_events ]; }
on_kprobe() { dynamic_on p $TRACING/kprobe_events p; }
off_kprobe() { dynamic_off $TRACING/kprobe_events p; }
events_kprobe() { least hits p; }

has_kretprobe() { [ -w $TRACING/kprobe_events ]; }
on_kretprobe() { dynamic_on r $TRACING/kprobe_events r; }
off_kretprobe() { dynamic_off $TRACING/kprobe_events r; }
events_kretprobe() { least hits r; }

has_fprobe() { grep -q '^[^#]*f\[:\[' $TRACING/README || grep -q 'f.*<group>.*%return' $TRACING/README; }
on_fprobe() { dynamic_on f $TRACING/dynamic_events f; }
off_fprobe() { dynamic_off $TRACING/dynamic_events f; }
in_fprobes() { grep -c "f_$1:" $TRACING/trace; }
events_fprobe() { least in_fprobes; }

has_stack() { [ -w $STACK ]; }
on_stack() { echo 0 > $TRACING/stack_max_size && echo 1 > $STACK; }
off_stack() { echo 0 > $STACK; }
events_stack() { cat $TRACING/stack_max_size; }

# fentry and fexit of BPF on the hrtimer core's functions.
WATCH=
BPF_WHY=

has_bpf() {
	WATCH=$(find_program bpf_watch) || { BPF_WHY="bpf_watch is not built"; return 1; }
	# shellcheck disable=SC2086	# names
	$WATCH --once $HRTIMER > "$LOG.bpf" 2>&1
	case $? in
	0) ;;
	4) BPF_WHY=$(tail -n 1 "$LOG.bpf"); return 1 ;;
	*) sed 's/^/# /' "$LOG.bpf" ;;
	esac
}

on_bpf() {
	: > "$LOG.bpf"
	# shellcheck disable=SC2086	# names
	$WATCH $HRTIMER > "$LOG.bpf" 2>&1 &
	WATCHING=$!
	BACKGROUND="$BACKGROUND $WATCHING"
	for _ in $(seq 100); do
		grep -q '^# running' "$LOG.bpf" && return
		kill -0 $WATCHING 2> /dev/null || break
		sleep 0.1
	done
	sed 's/^/# /' "$LOG.bpf"
	return 1
}

# It says what it has seen as it ends.
off_bpf() {
	kill $WATCHING
	wait $WATCHING
	sed 's/^/# /' "$LOG.bpf"
}

events_bpf() {
	kill -USR1 $WATCHING
	sleep 0.5
	awk -v called="$CALLED" '
		index(" " called " ", " " $1 " ") && (least == "" || $3 < least) { least = $3 }
		END { print least + 0 }' "$LOG.bpf"
}

# A guest's timers are exact, which the module has armed, and tracer $1 has seen some.
guest_is_exact() {
	starts=$(counter starts)
	: > $TRACING/trace
	measure_deadlines --distance 5000 --samples 8 || return 1
	events=$("events_$1")
	say "$1: ${events:-0} events; timers: $(($(counter starts) - starts))"
	[ "$(field "$RHT/attach" lapic)" = yes ] && [ $(($(counter starts) - starts)) -ge 8 ] &&
		[ "${events:-0}" -gt 0 ]
}

# TRACER
before() {
	"on_$1" && load raw_hrtimer attach=hooked && guest_is_exact "$1"
	status=$?
	"off_$1"
	unload raw_hrtimer && return $status
}

# TRACER; the guest runs once more when it has gone.
after() {
	load raw_hrtimer attach=hooked && "on_$1" && guest_is_exact "$1"
	status=$?
	"off_$1"
	measure_deadlines --distance 5000 --samples 4 && unload raw_hrtimer && return $status
}

begin "tracers on the functions that are hooked"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
[ -w $TRACING/current_tracer ] || skip_all "this kernel has no ftrace"
need_adjtimex
need_tsc
need_kvm
need_guest $MEASURING
measure_deadlines --samples 1 --distance 10 || skip_all "$MEASURING cannot run here"

TRACERS="function graph kprobe kretprobe fprobe stack bpf"
plan $(($(echo "$TRACERS" | wc -w) * $(echo "$TICKS" | wc -w) * 2))
for tick in $TICKS; do
	bend "$tick" 0
	settle
	for tracer in $TRACERS; do
		for order in before after; do
			name="tick $tick, $tracer, there $order the module"
			if "has_$tracer"; then
				expect "$name" "$order" "$tracer"
			else
				ktap_test_skip "$name: ${BPF_WHY:-this kernel has none}"
			fi
		done
	done
done
straighten
finish
