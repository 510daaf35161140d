# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Guests' timers, each variant under each schedule; main.sh sources it.

# What a guest of KVM's finds: neither timers of the processor's own for an L1, nor
# a head start that KVM adapts, which would hide up to 5 us.
vendor=kvm-amd
nested=
if grep -q '^flags.* vmx' /proc/cpuinfo; then
	vendor=kvm-intel
	nested=y
fi

load_kvm()
{
	case $1 in
	stock)
		modprobe kvm lapic_timer_advance=N || die "kvm"
		modprobe $vendor ${nested:+preemption_timer=0} || die "$vendor"
		;;
	patched)
		modprobe irqbypass
		insmod /kvm/kvm.ko lapic_timer_advance=N || die "patched kvm"
		insmod /kvm/$vendor.ko nested=1 ${nested:+enable_apicv=0 preemption_timer=0} ||
			die "patched $vendor"
		;;
	hardware | both)
		modprobe irqbypass
		insmod "/kvm-$1/kvm.ko" lapic_timer_advance=N || die "$1 kvm"
		insmod "/kvm-$1/$vendor.ko" nested=1 enable_apicv=0 || die "$1 $vendor"
		;;
	esac
}

unload_kvm()
{
	rmmod "$(echo $vendor | tr - _)" kvm || die "KVM stays"
}

# DISTANCE_US: each way from the nominal rate and back, within 0.7 distances each.
change_file()
{
	awk -v us="$1" 'BEGIN {
		step = us * 0.7e-6
		if (step < 1e-3)
			step = 1e-3
		split("10000 11000 10000 9000 10000", tick, " ")
		for (i = 1; i <= 5; i++)
			printf "%.6f %d 0\n", (i - 1) * step, tick[i]
	}' > /tmp/change
}

counters()
{
	if [ -r $debugfs/raw_hrtimer/counters ]; then
		sed 's/^/@ counter /' $debugfs/raw_hrtimer/counters
	fi
}

# Timer interrupts of all CPUs.
irqs()
{
	awk '$1 == "LOC:" { for (i = 2; $i ~ /^[0-9]/; i++) n += $i; print "@ irqs", n }' \
		/proc/interrupts
}

# SCHEDULE COMMAND...: a guest under a schedule
under()
{
	what=$1
	shift
	case $what in
	change)
		./slew replay --loop /tmp/change "$@"
		;;
	chronyd)
		./slew replay slew_chronyd.txt "$@"
		;;
	*)
		"$@"
		;;
	esac
	status=$?
}

# SCHEDULE DISTANCE_US/SAMPLES NAME WAIT COMMAND...
guest()
{
	under_schedule=$1
	distance=${2%/*}
	samples=${2#*/}
	name=$3
	wait=$4
	shift 4
	change_file "$distance"
	say "guest $name $distance $samples"
	counters
	irqs
	under "$under_schedule" "$@" --wait "$wait" --distance "$distance" --samples "$samples" \
		--raw
	irqs
	counters
	say "status $status"
}

# SCHEDULE,... DISTANCE_US/SAMPLES,... [DISTANCE_US/SAMPLES,...]: the guests of $variant,
# which halt; those of the last, of an L2 that spins
guests()
{
	for schedule in $(echo "$1" | tr , ' '); do
		settle "$schedule"
		for pair in $(echo "$2" | tr , ' '); do
			# What these add is for the nested timer alone.
			case $variant in
			hardware | both) ;;
			*)
				guest "$schedule" "$pair" lapic halted \
					./apic_timer_accuracy_test --exact --mode tscdeadline
				;;
			esac
			[ -z "$nested" ] || guest "$schedule" "$pair" nested halted \
				./nested_preemption_timer_accuracy_test --exact
		done
		for pair in $(echo "${3:-}" | tr , ' '); do
			guest "$schedule" "$pair" spinning spinning \
				./nested_preemption_timer_accuracy_test --exact
		done
	done
	bend 10000+0
}

accuracy()
{
	load_kvm stock
	sleep 3		# what loading has set off
	for variant in stock hooked; do
		say "variant $variant"
		[ $variant = stock ] || modprobe raw_hrtimer || die "raw_hrtimer"
		guests "$@"
		[ $variant = stock ] || rmmod raw_hrtimer || die "raw_hrtimer stays"
	done
	unload_kvm
	[ -d /kvm ] || return 0
	for variant in patched hardware both; do
		[ $variant = patched ] || [ -n "$nested" ] || continue
		load_kvm $variant
		say "variant $variant"
		[ $variant = hardware ] || modprobe raw_hrtimer attach=registered ||
			die "raw_hrtimer"
		sleep 3
		guests "$@"
		[ $variant = hardware ] || rmmod raw_hrtimer || die "raw_hrtimer stays"
		unload_kvm
	done
}
