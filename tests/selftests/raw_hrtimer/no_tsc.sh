#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A clocksource that is not the TSC says nothing of TSC deadlines: the expiry
# that the caller has set is used, and that is counted.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions.sh"

restore() {
	echo "$before" > $CLOCKSOURCE/current_clocksource
}

is_plain() {
	plain=$(counter plain)
	run_case plain || return 1
	say "plain: $plain, then $(counter plain)"
	[ "$(counter plain)" -ge $((plain + 3)) ]
}

# A timer that was armed while the clocksource still was the TSC fires all the same.
changed_while_pending() {
	echo tsc > $CLOCKSOURCE/current_clocksource
	sleep 1
	begin_pending 2000 1
	echo "$other" > $CLOCKSOURCE/current_clocksource
	end_case
	echo "$RESULT" | grep -q '^ok pending: fires once'
}

changes_are_counted() {
	changes=$(field "$RHT/rate" clocksource_changes)
	echo tsc > $CLOCKSOURCE/current_clocksource
	sleep 1
	[ "$(field "$RHT/rate" clocksource)" = tsc ] &&
		[ "$(field "$RHT/rate" clocksource_changes)" -gt "$changes" ]
}

begin "a clocksource other than the TSC"
read -r before < $CLOCKSOURCE/current_clocksource
other=$(another_clocksource) || skip_all "the TSC is the only clocksource"
load_test_module
trap 'restore; clean_up' EXIT
plan 6

echo "$other" > $CLOCKSOURCE/current_clocksource
sleep 1
say "clocksource: $(cat $CLOCKSOURCE/current_clocksource)"
expect "the file says that it is another" [ "$(field "$RHT/rate" clocksource)" = other ]
expect "the plain expiry is used, and counted" is_plain

if grep -qw tsc $CLOCKSOURCE/available_clocksource; then
	expect "back to the TSC: named and counted" changes_are_counted
	expect "back to the TSC: deadlines count again" run_case deadline 1000 5
	expect "changed while a timer is pending: it fires" changed_while_pending
	expect "and back again" changes_are_counted
else
	for test in named deadlines pending again; do
		ktap_test_skip "back to the TSC, $test: the kernel does not offer it"
	done
fi
finish
