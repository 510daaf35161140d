#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A KVM that is careless with its timers, and one that arms them as no KVM does today:
# 20,000 vCPUs with a timer pending each; starts, cancels and vCPUs' ends in any order;
# starts that the hooks do not see.
#
# OTHER_KVM has careless/kvm.ko, see test_modules/careless.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

VCPUS=${VCPUS:-20000}
SECONDS_EACH=${SECONDS_EACH:-5}
ENTRY=128		# bytes, at most, for each timer
# shellcheck disable=SC2034	# functions.sh reads it
RUN=$DEBUGFS/raw_hrtimer_careless

unload_careless() {
	[ ! -d "$RUN" ] || rmmod kvm
}

# raw_hrtimer afresh, with a log of its own, beside the careless KVM.
afresh() {
	unload raw_hrtimer
	mark
	load raw_hrtimer && [ "$(attached)" = hooked ] && is lapic yes && is hyperv yes && is xen yes
}

# NAME VALUE: waits until a counter has it, which needs time where there is little.
becomes() {
	for _ in $(seq 300); do
		[ "$(counter "$1")" != "$2" ] || return 0
		sleep 0.2
	done
	say "$1: $(counter "$1"), not $2"
	return 1
}

# NAME VALUE: the same for a counter that goes up.
reaches() {
	for _ in $(seq 300); do
		[ "$(counter "$1")" -lt "$2" ] || return 0
		sleep 0.2
	done
	say "$1: $(counter "$1"), less than $2"
	return 1
}

# Bytes of the objects that kmalloc() has given out: entries are such.
slab_bytes() {
	memory_in_use > "$LOG.unused"
	awk '/^kmalloc-/ { sum += $2 * $4 } END { printf "%.0f\n", sum }' /proc/slabinfo
}

# Whether an object of so many bytes takes no more: a kernel that checks itself adds to it.
slab_is_plain() {
	grep -q "^kmalloc-$ENTRY .* $ENTRY  " /proc/slabinfo
}

all_have_an_entry() {
	before=$(counter entries)
	memory=$(slab_bytes)
	run_case pending "$VCPUS" || return 1
	say "entries: $before, then $(counter entries); no_room: $(counter no_room)"
	[ "$(counter no_room)" = 0 ] && [ $(($(counter entries) - before)) = "$VCPUS" ]
}

# Beside what the slab's own caches of each CPU may have more or less of.
entries_are_small() {
	bytes=$(($(slab_bytes) - memory))
	say "bytes for each timer: $((bytes / VCPUS))"
	# With less the measurement has not seen them.
	[ $bytes -le $((VCPUS * ENTRY + 131072)) ] && [ $bytes -ge $((VCPUS * 64)) ]
}

slow_down_moves_each() {
	run_case remember || return 1
	rearms=$(counter rearms)
	bend 9000 0
	settle
	reaches rearms $((rearms + VCPUS)) || return 1
	run_case moved || return 1
	say "moved: $(value moved) of $VCPUS"
	[ "$(value moved)" = "$VCPUS" ]
}

clock_is_slow() {
	case $(field "$RHT/rate" mono/raw) in
	-*) ;;
	*) return 1 ;;
	esac
}

# Waits until the slow-down has moved it, while it is pending, to where its deadline is.
near_is_moved() {
	for _ in $(seq 100); do
		clock_is_slow && run_case near_moved > /dev/null && break
		sleep 0.1
	done
	clock_is_slow && run_case near_moved
}

# A timer of another vCPU is moved, too, and comes when it is due.
another_is_exact() {
	bend 11000 0
	settle
	run_case near $((SECONDS_EACH * 1000)) || return 1
	bend 9000 0
	near_is_moved && run_case near_done
}

# It is due long after the end of the others, which takes a busy machine seconds.
others_end_beside_it() {
	bend 11000 0
	settle
	run_case near $((SECONDS_EACH * 6000)) || return 1
	run_case destroy || return 1
	bend 9000 0
	near_is_moved && run_case near_done
}

memory_is_back() {
	straighten
	becomes entries "$before" || return 1
	for _ in $(seq 30); do
		left=$(($(slab_bytes) - memory))
		[ $left -gt $((VCPUS * ENTRY / 10)) ] || break
		sleep 1
	done
	say "bytes left: $left"
	[ $left -le $((VCPUS * ENTRY / 10)) ]
}

# They are due in an hour.
goes_with_them_pending() {
	remove_idle && afresh || return 1
	run_case pending "$VCPUS" || return 1
	bend 11000 0
	settle
	run_case remember || return 1
	remove || return 1
	is_not_loaded raw_hrtimer && no_hook_is_left && removal_is_at_once
}

nobody_touches_them() {
	bend 9000 0
	settle
	straighten
	run_case moved || return 1
	say "moved: $(value moved)"
	[ "$(value moved)" = 0 ] && run_case destroy
}

# None is early or lost, whatever it does.
storm() {
	afresh || return 1
	entries=$(counter entries)
	start_bending 10000
	run_case storm $((SECONDS_EACH * 1000)) "$SEED"
	status=$?
	stop_bending
	for name in starts fires cancels replaced destroyed; do
		say "$name: $(value $name)"
	done
	for name in starts restarts rearms passes unseen no_room; do
		say "counter $name: $(counter $name)"
	done
	return $status
}

storm_leaves_nothing() {
	becomes entries "$entries" && [ "$(counter no_room)" = 0 ]
}

# The hooks have seen each start: whoever was destroyed is no reason to think otherwise.
storm_is_not_blind() {
	for timer in lapic hyperv xen; do
		[ "$(field "$RHT/attach" $timer)" = yes ] && continue
		say "$timer: $(field "$RHT/attach" $timer)"
		return 1
	done
}

comes_and_goes() {
	unload raw_hrtimer && load raw_hrtimer && [ "$(attached)" = hooked ] && return
	say "loaded: $(grep -c '^raw_hrtimer ' /proc/modules), attached: $(attached)"
	return 1
}

# Beside the storm, whose timers are early in between as without the module, and have
# nothing that remains as early.
storm_while_it_comes_and_goes() {
	start_bending 10000
	begin_case storm $((SECONDS_EACH * 1000)) "$SEED"
	times=0
	failed=0
	while kill -0 "$CASE_PROCESS" 2> /dev/null; do
		comes_and_goes || failed=$((failed + 1))
		times=$((times + 1))
	done
	say "came and went $times times, and did not $failed times"
	end_case > "$LOG.said"
	stop_bending
	grep -vE "early|too soon" "$LOG.said"
	[ $times -gt 0 ] && [ $failed = 0 ] &&
		! echo "$RESULT" | grep '^not ok ' | grep -vqE "early|too soon"
}

seen_by_another_name() {
	afresh || return 1
	starts=$(counter starts)
	bend 11000 0
	settle
	run_case user || return 1
	straighten
	say "$(($(counter starts) - starts)) starts, $(counter unseen) unseen"
	[ "$(value user)" = 1 ] && [ $(($(counter starts) - starts)) = 4 ] &&
		[ "$(counter unseen)" = 0 ] && [ "$(field "$RHT/attach" xen)" = yes ]
}

# TIMER VERDICT: what debugfs says of it, and that the log has it once.
said_once() {
	for _ in $(seq 50); do
		since_mark | grep -qF "$1: $2" && break
		sleep 0.2
	done
	say "$1: $(field "$RHT/attach" "$1")"
	since_mark | grep "raw_hrtimer: $1:" | sed 's/^/# /'
	[ "$(field "$RHT/attach" "$1")" = "$2" ] &&
		[ "$(since_mark | grep -cF "raw_hrtimer: $1: $2")" = 1 ]
}

# A timer that is queued while its vCPU is destroyed has as many.
two_are_not_blind() {
	afresh && run_case unseen 2 || return 1
	say "unseen: $(counter unseen), xen: $(field "$RHT/attach" xen)"
	[ "$(counter unseen)" = 2 ] && [ "$(field "$RHT/attach" xen)" = yes ]
}

blind_is_noticed() {
	afresh && run_case unseen 3 || return 1
	say "unseen: $(counter unseen)"
	[ "$(counter unseen)" = 3 ] &&
		said_once xen "no (KVM starts it by a function that is not hooked)" &&
		[ "$(field "$RHT/attach" lapic)" = yes ]
}

foreign_is_left_alone() {
	afresh && run_case foreign || return 1
	[ "$(counter entries)" = 0 ] && [ "$(counter starts)" = 0 ] &&
		said_once xen "no (KVM starts it on another clock, or relative to now)"
}

begin_storm "a KVM that is careless with its timers"
OTHER_KVM=${OTHER_KVM:-/other-kvm}
[ -r "$OTHER_KVM/careless/kvm.ko" ] || skip_all "$OTHER_KVM has no such KVM"
unload raw_hrtimer || skip_all "raw_hrtimer is in use"
need_bending
unload_kvm || skip_all "KVM is in use"
insmod "$OTHER_KVM/careless/kvm.ko" || fail_all "the careless KVM cannot be loaded"
plan 17

expect "it is taken for KVM" afresh
expect "$VCPUS vCPUs: each timer has an entry" all_have_an_entry
if slab_is_plain; then
	expect "of at most $ENTRY bytes" entries_are_small
else
	ktap_test_skip "of at most $ENTRY bytes: this kernel's slab adds to each object"
fi
expect "a slow-down moves each" slow_down_moves_each
expect "another's timer is exact beside them" another_is_exact
expect "and while their vCPUs are destroyed" others_end_beside_it
expect "their entries are gone, and the memory" memory_is_back
expect "the module goes at once with $VCPUS pending" goes_with_them_pending
expect "they are pending, and nobody touches them" nobody_touches_them
expect "starts, cancels and ends in any order: none is early or lost" storm
expect "no entry is left of them" storm_leaves_nothing
expect "and no start is thought to be unseen" storm_is_not_blind
expect "the same while the module comes and goes: none is lost" storm_while_it_comes_and_goes
run_case user > /dev/null
if [ "$(value user)" = 0 ]; then
	ktap_test_skip "started by hrtimer_start_range_ns_user(): this kernel has none"
else
	expect "started by hrtimer_start_range_ns_user(): exact" seen_by_another_name
fi
expect "two callbacks in a row without a start: no reason to think so" two_are_not_blind
expect "started by what is not hooked: noticed, and said once" blind_is_noticed
expect "on another clock, or relative: left alone, and said once" foreign_is_left_alone
unload raw_hrtimer
unload_careless
finish
