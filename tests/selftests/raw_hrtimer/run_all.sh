#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the tests that are named, or all, and adds up: KTAP, the last line
#   # Totals: pass:N fail:N skip:N
# of tests, not of executables.  The exit status is 0 if none has failed.

DIR=$(dirname "$(readlink -f "$0")")

# bad_input.sh is last: it provokes warnings, which a kernel gives only once.
everything="load_unload.sh rate.sh api.sh cost.sh arm.sh node.sh rate_change.sh hotplug.sh no_tsc.sh
     nohz_full.sh attach.sh tracepoints.sh register.sh hardware_timer.sh guest_moved.sh
     guest_catchup.sh remove_running.sh bad_input.sh"

case $1 in
-h | --help)
	echo "usage: ${0##*/} [TEST...]"
	echo "tests: $(echo "$everything" | tr -s '[:space:]' ' ')"
	exit 0
	;;
esac

# For each, unless the environment has another.
seconds=${TIMEOUT:-$(sed -n 's/^timeout=//p' "$DIR/settings")}
status_file=$(mktemp)
output=$(mktemp)
trap 'rm -f "$status_file" "$output"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

pass=0
fail=0
skip=0
number=0

# PATTERN: how many lines of the test's output match.
count() {
	grep -cE "$1" "$output"
}

run() {
	number=$((number + 1))
	echo "    # Subtest: $1"
	{
		timeout "$seconds" sh "$DIR/$1" 2>&1
		echo $? > "$status_file"
	} | tee "$output" | sed 's/^/    /'
	read -r status < "$status_file"

	passed=$(($(count '^ok ') - $(count '^ok .*# SKIP')))
	failed=$(count '^not ok ')
	skipped=$(count '^ok .*# SKIP')
	pass=$((pass + passed))
	skip=$((skip + skipped))

	case $status in
	0)
		if [ "$failed" = 0 ] && [ "$passed" != 0 ]; then
			echo "ok $number $1"
			return
		fi
		why="exit status 0 with $passed passed and $failed failed"
		;;
	4)
		skip=$((skip + 1))
		echo "ok $number $1 # SKIP $(sed -n 's/^1\.\.0 # SKIP //p' "$output")"
		return
		;;
	124 | 143)
		why="not ended after $seconds seconds"
		;;
	*)
		why="exit status $status"
		;;
	esac
	# A test that ended without a line of its own for what went wrong counts.
	[ "$failed" != 0 ] || failed=1
	fail=$((fail + failed))
	echo "not ok $number $1 # $why"
}

# shellcheck disable=SC2086
[ $# != 0 ] || set -- $everything
echo "TAP version 13"
echo "1..$#"
for test in "$@"; do
	if [ ! -r "$DIR/$test" ]; then
		number=$((number + 1))
		fail=$((fail + 1))
		echo "not ok $number $test # there is no such test"
		continue
	fi
	run "$test"
done
echo "# Totals: pass:$pass fail:$fail skip:$skip"
[ "$fail" = 0 ] && [ "$pass" != 0 ]
