#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: kvm-tests.sh [--module] [--ticks "TICK..."] TEST...
#
# Runs in the machine: KVM selftests, each at each rate of the host's clock
# (adjtimex's tick; default: 10000) and with the module if that is asked for.
# Prints KTAP, in which every run is one test.
set -u

module=
ticks=10000
while :; do
	case ${1-} in
	--module)
		module=y
		;;
	--ticks)
		ticks=$2
		shift
		;;
	*)
		break
		;;
	esac
	shift
done

vendor=kvm-amd
if grep -q '^flags.* vmx' /proc/cpuinfo; then
	vendor=kvm-intel
fi
modprobe $vendor || exit 1
if [ -n "$module" ]; then
	modprobe raw_hrtimer || exit 1
fi

number_of_ticks=$(echo "$ticks" | wc -w)

echo "TAP version 13"
echo "1..$(($# * number_of_ticks))"
number=0
failed=0

# What a test prints: as a subtest if it is KTAP, else as a comment.
nest()
{
	awk '/^K?TAP version/ { ktap = 1 } { print (ktap ? "    " : "# ") $0; fflush() }'
}

for tick in $ticks; do
	adjtimex -q -t "$tick" -f 0
	sleep 2
	for test; do
		number=$((number + 1))
		name="$test at tick $tick${module:+ with the module}"
		{
			timeout 600 "/selftests/$test" 2>&1
			echo $? >/tmp/status
		} | tee /tmp/output | nest
		read -r status </tmp/status
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
	done
done
exit $failed
