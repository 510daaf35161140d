#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who is not root reaches nothing of the module's; root may write what it likes to
# whatever there is, and is refused or understood; and a guest that sets its timers
# to the shortest and the longest values as fast as it can does not make the host
# late.  That is measured without the module and with it, and judged with
# MAX_WAKE_NS, what it may add, as only some machines are repeatable.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

SECONDS_EACH=${SECONDS_EACH:-3}
PARAMETERS=/sys/module/raw_hrtimer/parameters

# COMMAND...: by somebody who has no privileges.
as_nobody() {
	su -s /bin/sh "$NOBODY" -c "$*"
}

# Of the files of ours those that somebody who is not root can open.
reached_by_nobody() {
	for file in "$RHT"/* $PARAMETERS/*; do
		as_nobody "cat $file" > /dev/null 2>&1 && echo "$file can be read"
		as_nobody "true >> $file" > /dev/null 2>&1 && echo "$file can be written"
	done
	as_nobody "ls $RHT" > /dev/null 2>&1 && echo "$RHT can be listed"
	as_nobody "rmmod raw_hrtimer" > /dev/null 2>&1 && echo "the module can be removed"
	is_loaded raw_hrtimer || echo "the module is gone"
}

# Of whom it is known that there are files that they can read.
nobody_reaches_anything() {
	as_nobody "cat /proc/version" > /dev/null || return 1
	reached=$(reached_by_nobody)
	[ -z "$reached" ] && return
	echo "$reached" | sed 's/^/# /'
	return 1
}

# MODE FILE...
have_mode() {
	mode=$1
	shift
	for file in "$@"; do
		[ "$(stat -c %a "$file")" = "$mode" ] ||
			{ say "$file: $(stat -c %a "$file")"; return 1; }
	done
}

modes_are_as_small_as_can_be() {
	have_mode 400 "$RHT"/* || return 1
	for file in "$PARAMETERS"/*; do
		case ${file##*/} in
		rearm) have_mode 600 "$file" || return 1 ;;
		*) have_mode 400 "$file" || return 1 ;;
		esac
	done
}

# One piece of garbage on each line; what shells cannot hold is added by feed().
garbage() {
	printf '%s\n' "" " " -1 -0 +1 0x 1e9 4294967296 18446744073709551616 \
		-9223372036854775809 500001 1000.5 "1 2" Nein 'y;n' '%s%n%p' '../../x' 'ä€' \
		"$(printf '%04095d' 7)" "$(printf '%09000d' 0)"
}

# FILE: everything is written to it, and nothing may come of it but an error.
feed() {
	garbage | while IFS= read -r line; do
		printf '%s' "$line" 2> /dev/null > "$1"
		printf '%s\n' "$line" 2> /dev/null > "$1"
	done 2> /dev/null
	printf '\0\0\0\0' 2> /dev/null > "$1"
	for size in 1 7 100 4096 70000; do
		head -c $size /dev/urandom 2> /dev/null > "$1"
	done
	true
} 2> /dev/null

# What is left in them afterwards is something that makes sense.
parameters_make_sense() {
	say "rearm: $(cat $PARAMETERS/rearm), attach: $(cat $PARAMETERS/attach)"
	case $(cat $PARAMETERS/rearm) in
	Y | N) ;;
	*) return 1 ;;
	esac
}

garbage_does_no_harm() {
	attach=$(cat $PARAMETERS/attach)
	counters=$(wc -l < "$RHT/counters")
	for file in "$RHT"/* "$PARAMETERS"/*; do
		feed "$file"
	done
	parameters_make_sense && [ "$(cat $PARAMETERS/attach)" = "$attach" ] &&
		[ "$(wc -l < "$RHT/counters")" = "$counters" ]
}

# PARAMETER=VALUE...: none is loaded with
refused_when_loading() {
	unload raw_hrtimer || return 1
	for parameter in "$@"; do
		if load raw_hrtimer "$parameter" 2> /dev/null; then
			say "loaded with $parameter"
			return 1
		fi
		is_not_loaded raw_hrtimer || return 1
	done
}

# The parameter that can be written, all the while; timers do not mind.
flip() {
	while [ ! -e "$LOG.enough" ]; do
		echo N > $PARAMETERS/rearm
		echo Y > $PARAMETERS/rearm
	done
}

flipped_while_a_guest_runs() {
	start_bending 10000
	flip &
	flipping=$!
	BACKGROUND="$BACKGROUND $flipping"
	guest_passes --starts 300 --seed "$SEED"
	status=$?
	touch "$LOG.enough"
	wait $flipping
	forget_background $flipping
	stop_bending
	return $status
}

# NAME: the latency of somebody else while the hostile guest runs beside it.
measure_hostile() {
	start_guest --hostile --seed "$SEED" || return 1
	taskset -p 1 "$GUEST" > /dev/null
	$BYSTANDER 0 1000 "$SECONDS_EACH" > "$LOG.bystander" || return 1
	stop_guest || return 1
	WAKE_NS=$(field "$LOG.bystander" max_ns)
	say "hostile: $1: wakes late by (ns): median $(field "$LOG.bystander" median_ns)," \
		"p99 $(field "$LOG.bystander" p99_ns), max $WAKE_NS"
}

begin_storm "a hostile user, a hostile guest"
need_bending
NOBODY=$(awk -F : '$3 != 0 { print $1; exit }' /etc/passwd)
[ -n "$NOBODY" ] && [ "$(as_nobody id -u)" -gt 0 ] || skip_all "there is no user but root"
BYSTANDER=$(find_program bystander) || skip_all "bystander is not built"
need_storm_guest
load_attached
plan 10
say "the user: $NOBODY"

expect "somebody who is not root reaches nothing" nobody_reaches_anything
expect "what need not be written cannot be, and root alone reads" modes_are_as_small_as_can_be
expect "garbage, everywhere: what is left makes sense" garbage_does_no_harm
echo Y > $PARAMETERS/rearm
expect "a parameter changed all the while: the guest does not mind" flipped_while_a_guest_runs
expect "garbage when loading: refused" refused_when_loading attach= attach=x attach=AUTO \
	rearm=perhaps nested=2 lapic=x

expect "a hostile guest without the module" measure_hostile absent
absent_ns=$WAKE_NS
load raw_hrtimer
starts=$(counter starts)
expect "a hostile guest with it: its timers work in the end" measure_hostile loaded
say "starts: $(($(counter starts) - starts)), past: $(counter past), saturated: $(counter saturated)," \
	"no_room: $(counter no_room)"
expect "the module armed its timers" [ $(($(counter starts) - starts)) -gt 100 ]
if [ -n "$MAX_WAKE_NS" ]; then
	expect "the host is not later than without" [ "$WAKE_NS" -le $((absent_ns + MAX_WAKE_NS)) ]
else
	ktap_test_skip "the host is not later than without: no MAX_WAKE_NS for this machine"
fi
expect "and it can be removed" unload raw_hrtimer
finish
