#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The rate that debugfs shows is the one that adjtimex has set.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

# What a mult can be off what was set: its last unit, dithered.
DITHER_PPB=500

# "+500.000 ppm" as +500000
ppb() {
	echo "$1" | sed -n 's/^\([+-]\)\([0-9]*\)\.\([0-9]\{3\}\) ppm$/\1\2\3/p' |
		sed 's/^\([+-]\)0*\(.\)/\1\2/; s/^+//'
}

distance() {
	[ $(($1)) -ge $(($2)) ] && echo $(($1 - $2)) || echo $(($2 - $1))
}

# All from one read: the next may be of another snapshot.
read_rate() {
	file=$(cat "$RHT/rate")
	shown=$(ppb "$(echo "$file" | sed -n 's|^mono/raw: ||p')")
	mono=$(echo "$file" | sed -n 's/^mono_mult: //p')
	raw=$(echo "$file" | sed -n 's/^raw_mult: //p')
	computed=$(((mono - raw) * 1000000000 / raw))
	[ -n "$shown" ]
}

# TICK FREQUENCY
shows() {
	# Per 10 ms, so a microsecond of tick is 100 ppm; frequencies add to it.
	set_to=$((($1 - 10000) * 100000 + $2 * 1000 / 65536))
	read_rate || return 1
	say "set to $set_to ppb, shown $shown, computed from the mults $computed"
	[ "$(distance "$shown" "$computed")" -le 1 ] &&
		[ "$(distance "$shown" "$set_to")" -le $DITHER_PPB ]
}

counts_a_change() {
	before=$(field "$RHT/rate" rate_changes)
	generation=$(field "$RHT/rate" generation)
	bend 10500 0
	settle
	[ "$(field "$RHT/rate" rate_changes)" -gt "$before" ] &&
		[ "$(field "$RHT/rate" generation)" -gt "$generation" ]
}

# Dither is no change of rate.
stands_still() {
	settle
	before=$(field "$RHT/rate" rate_changes)
	updates=$(field "$RHT/rate" updates)
	sleep 3
	say "updates: $(($(field "$RHT/rate" updates) - updates))"
	[ "$(field "$RHT/rate" rate_changes)" = "$before" ] &&
		[ "$(field "$RHT/rate" updates)" -gt "$updates" ]
}

# Anybody but root.
USER_NAME=$(awk -F : '$3 > 0 { print $1; exit }' /etc/passwd)

# FILE: a user who can read other files cannot read this one.
is_hidden() {
	su -s /bin/sh -c "cat /proc/version" "$USER_NAME" > /dev/null &&
		! su -s /bin/sh -c "cat $1" "$USER_NAME" > /dev/null 2>&1
}

try_to_write() {
	echo garbage > "$1"
}

FILES="rate counters attach"

begin "the rate is the one that was set"
need_adjtimex
need_tsc
unload raw_hrtimer
load raw_hrtimer attach=off || fail_all "raw_hrtimer cannot be loaded"
plan 16

# 500 ppm is 500 * 65536.
for setting in "10000 0" "10000 32768000" "10000 -32768000" "11000 0" "9000 0" \
	       "11000 32768000" "9000 -32768000"; do
	# Two words each.
	# shellcheck disable=SC2086
	set -- $setting
	bend "$@"
	settle
	expect "tick and frequency $setting" shows "$@"
done
expect "a change is counted" counts_a_change
straighten
expect "dither is not" stands_still
expect "the clocksource is named" [ "$(field "$RHT/rate" clocksource)" = tsc ]
for file in $FILES; do
	refuse "$file cannot be written" try_to_write "$RHT/$file"
	if [ -n "$USER_NAME" ]; then
		expect "$file is for root alone" is_hidden "$RHT/$file"
	else
		ktap_test_skip "$file is for root alone: there is no other user"
	fi
done
finish
