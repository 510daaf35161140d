#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: kvm-tests.sh [--module] [--schedules "SCHEDULE..."] [--seed N] [--runs N]
#                     [--distance US] TEST...
#
# Runs in the machine: KVM selftests, each with its arguments as one word, under
# each schedule of the host's clock (those of rate_schedule, which --seed and
# --distance are for; default: 0; or chronyd, which slews while the test runs), and
# with the module if that is asked for; --runs times, each with the next seed.
# Prints KTAP, in which every run is one test.
set -u

module=
schedules=0
options=
seed=1
runs=1
while :; do
	case ${1-} in
	--module)
		module=y
		;;
	--schedules)
		schedules=$2
		shift
		;;
	--distance)
		options="$1 $2"
		shift
		;;
	--seed)
		seed=$2
		shift
		;;
	--runs)
		runs=$2
		shift
		;;
	*)
		break
		;;
	esac
	shift
done

# shellcheck source=tests/selftests/raw_hrtimer/functions_kvm.sh
. /selftests/raw_hrtimer/functions_kvm.sh
load_kvm || exit 1
if [ -n "$module" ]; then
	modprobe raw_hrtimer || exit 1
fi
give_guests_the_cpu

echo "TAP version 13"
echo "1..$(($# * $(echo "$schedules" | wc -w) * runs))"
number=0
failed=0

# What a test prints: as a subtest if it is KTAP, else as a comment.
nest()
{
	awk '/^K?TAP version/ { ktap = 1 } { print (ktap ? "    " : "# ") $0; fflush() }'
}

# What chronyd did from 0.4 s before it began to slew, by 8.3 %, until that was over, 3.1 s later.
case " $schedules " in
*" chronyd "*) what_chronyd_did 0.4 4 >/tmp/slew ;;
esac

# SCHEDULE RUN COMMAND...
under()
{
	what=$1
	options="--seed $((seed + $2 - 1)) $options"
	shift 2
	# shellcheck disable=SC2086	# words
	case $what in
	chronyd) timeout 600 /selftests/slew replay /tmp/slew "$@" ;;
	*) timeout 600 /selftests/rate_schedule $options -- "$what" "$@" ;;
	esac
}

# SCHEDULE TEST RUN
run()
{
	number=$((number + 1))
	name="$2 under $1${module:+ with the module}"
	[ "$runs" = 1 ] || name="$name, run $3"
	{
		# shellcheck disable=SC2086	# words
		under "$1" "$3" /selftests/$2 2>&1
		echo $? >/tmp/status
	} | tee /tmp/output | nest
	read -r status </tmp/status
	if [ "$1" = chronyd ] && [ "$status" = 0 ]; then
		grep -q 'slew: [34] changes' /tmp/output || status="1, it ended before the slew"
	fi
	case $status in
	0)
		echo "ok $number $name"
		;;
	4)
		echo "ok $number $name # SKIP $(tail -n 1 /tmp/output)"
		;;
	*)
		echo "not ok $number $name: exit status $status"
		failed=1
		;;
	esac
}

for schedule in $schedules; do
	for test; do
		for i in $(seq "$runs"); do
			run "$schedule" "$test" "$i"
		done
	done
done
exit $failed
