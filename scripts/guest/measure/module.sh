# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the test module measures, and growth.sh; main.sh sources it.

case_of()
{
	say "case $*"
	echo "$*" > $debugfs/raw_hrtimer_test/run || die "no case $*"
	cat $debugfs/raw_hrtimer_test/result
	say "end"
}

test_module()
{
	modprobe raw_hrtimer attach=off && modprobe raw_hrtimer_test || die "raw_hrtimer_test"
}

no_test_module()
{
	rmmod raw_hrtimer_test && rmmod raw_hrtimer || die "raw_hrtimer_test stays"
}

timers()
{
	test_module
	for schedule in $(echo "$1" | tr , ' '); do
		settle "$schedule"
		for distance in $(echo "$2" | tr , ' '); do
			case_of compare "${distance%/*}" "${distance#*/}"
		done
	done
	bend 10000+0
	no_test_module
}

# SECONDS: the rate falls in each tick, from +10 % to -10 %, so that each change makes
# each pending timer late.
falling_file()
{
	awk -v seconds="$1" 'BEGIN {
		for (n = 0; n < seconds * 250; n++) {
			ppm = 100000 - 200000 * n / (seconds * 250)
			tick = int((100000 + ppm) / 100) + 9000
			printf "%.3f %d %d\n", n * 0.004, tick, (ppm - (tick - 10000) * 100) * 65536
		}
		printf "%.3f 10000 0\n", seconds
	}' > /tmp/falling
}

cost()
{
	test_module
	sleep 3
	case_of cost
	case_of listener 500
	printf '0 10000 -32768000\n0.01 10000 32768000\n0.02 10000 -32768000\n' > /tmp/alternate
	(sleep 0.1; ./slew replay --loop /tmp/alternate sleep 0.8) > /dev/null &
	case_of listener 500
	wait
	falling_file 0.5
	no_test_module
	say "pass absent"
	./slew replay /tmp/falling sleep 1
	test_module
	for nodes in 0 1 64 4096; do
		case_of hold $nodes
		say "pass $nodes"
		./slew replay /tmp/falling sleep 1
	done
	no_test_module
	for loaded in no yes; do
		load_kvm stock
		[ $loaded = no ] || modprobe raw_hrtimer || die "raw_hrtimer"
		[ $loaded = yes ] || modprobe raw_hrtimer attach=off || die "raw_hrtimer"
		modprobe raw_hrtimer_test || die "raw_hrtimer_test"
		say "hooked $loaded"
		case_of cost
		no_test_module
		unload_kvm
	done
}

# VARIANT: with the KVM that is loaded; unprovided: a patched one that has no provider;
# hardware, both: L2's timer in the processor's, without raw_hrtimer and with it
nested_arm()
{
	sleep 3
	say "case nested_arm $1"
	./nested_arm_cost || die "nested_arm_cost"
	say "end"
	say "case deadline $1"
	./apic_arm_cost || die "apic_arm_cost"
	say "end"
}

arms()
{
	load_kvm stock
	nested_arm stock
	modprobe raw_hrtimer || die "raw_hrtimer"
	nested_arm hooked
	rmmod raw_hrtimer || die "raw_hrtimer stays"
	unload_kvm
	load_kvm patched
	nested_arm unprovided
	modprobe raw_hrtimer attach=registered || die "raw_hrtimer"
	nested_arm patched
	rmmod raw_hrtimer || die "raw_hrtimer stays"
	unload_kvm
	load_kvm hardware
	nested_arm hardware
	unload_kvm
	load_kvm both
	modprobe raw_hrtimer attach=registered || die "raw_hrtimer"
	nested_arm both
	rmmod raw_hrtimer || die "raw_hrtimer stays"
	unload_kvm
}

growth()
{
	seconds=$1
	cpus=$(echo "$2" | tr , ' ')
	counts=$(echo "$3" | tr , ' ')
	SECONDS_EACH=$seconds WHICH_CPUS=$cpus COUNTS=$counts sh growth.sh
	say "growth $?"
}
