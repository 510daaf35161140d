#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: each-patch.sh FOLDER
#
# Runs in the machine: tests, each with the KVM of a step of a series, which is in FOLDER/STEP.
# FOLDER/tests has a line for each, in the order of the steps:
#
#   STEP;PATCH;pass|fail;module|-;SCHEDULE|-;CASE|-;TEST
#
# SCHEDULE is one of rate_schedule's; CASE the name of one of the test's results.  Prints KTAP, in
# which a line is one test.
set -u

folder=$1
loaded=
number=0
failed=0

# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh

# STEP: KVM of it, with the parameters that modprobe has for each.
load_step()
{
	rmmod raw_hrtimer 2>/dev/null
	[ "$loaded" != "$1" ] || return 0
	loaded=
	rmmod "$(kvm_vendor)" kvm 2>/dev/null
	for ko in kvm kvm-intel kvm-amd; do
		cp "$folder/$1/$ko.ko" "$(find /lib/modules -name "$ko.ko")" || return 1
	done
	load_kvm && loaded=$1
}

# SCHEDULE TEST
run()
{
	if [ "$1" = - ]; then
		# shellcheck disable=SC2086	# words
		/selftests/$2
	else
		# shellcheck disable=SC2086	# words
		timeout 600 /selftests/rate_schedule -- "$1" /selftests/$2
	fi
}

# STATUS CASE: pass or fail; anything else is neither.
verdict()
{
	if [ "$2" = - ]; then
		case $1 in
		0)
			echo pass
			;;
		1 | 254)
			echo fail
			;;
		*)
			echo "exit status $1"
			;;
		esac
	elif sed -n 's/^ok [0-9]* //p' /tmp/output | grep -qxF "$2"; then
		echo pass
	elif sed -n 's/^not ok [0-9]* //p' /tmp/output | grep -qxF "$2"; then
		echo fail
	else
		echo "no result, exit status $1"
	fi
}

give_guests_the_cpu

echo "TAP version 13"
echo "1..$(wc -l <"$folder/tests")"
while IFS=";" read -r step patch expected module schedule case test; do
	number=$((number + 1))
	name="$patch, $expected expected with $step patches: $test"
	[ "$case" = - ] || name="$name: $case"
	[ "$schedule" = - ] || name="$name, clock at $schedule"
	found="KVM or the module cannot be loaded"
	if load_step "$step" &&
		{ [ "$module" = - ] || modprobe raw_hrtimer attach=registered; }; then
		run "$schedule" "$test" </dev/null >/tmp/output 2>&1
		found=$(verdict $? "$case")
		sed 's/^/# /' /tmp/output
	fi
	if [ "$found" = "$expected" ]; then
		echo "ok $number $name"
	else
		echo "not ok $number $name: $found"
		failed=1
	fi
done <"$folder/tests"
exit $failed
