#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# TIMERS timers of the test module, and GUEST_TIMERS of a nested guest, for random
# distances, while the rate changes by a random schedule: none early, none lost.
# The same SEED, which is printed, gives the same distances and the same rates;
# on a machine that is repeatable, the same run.

DIR=$(dirname "$(readlink -f "$0")")
. "$DIR/functions_storm.sh"

TIMERS=${TIMERS:-20000}
GUEST_TIMERS=${GUEST_TIMERS:-1000}
LONGEST_US=${LONGEST_US:-20000}
INTERVAL_US=${INTERVAL_US:-7000}

# Between percents and back: expiries for which the clock has slowed down were many.
soak() {
	run_case soak "$TIMERS" "$SEED" "$LONGEST_US" && [ "$(value starts)" -ge "$TIMERS" ]
}

begin_storm "soak: $TIMERS timers, and $GUEST_TIMERS of a guest"
need_bending
say "to repeat it: SEED=$SEED TIMERS=$TIMERS GUEST_TIMERS=$GUEST_TIMERS ${0##*/}"
load_test_module
plan 4

start_bending "$INTERVAL_US"
expect "$TIMERS timers: early 0, lost 0" soak
stop_bending
say "rearms: $(counter rearms), restarts: $(counter restarts)"
expect "pending timers were re-armed" [ "$(counter rearms)" -gt 0 ]
unload raw_hrtimer_test
unload raw_hrtimer

if kvm_vendor > /dev/null && find_storm_guest && load_kvm; then
	load raw_hrtimer
	start_bending "$INTERVAL_US"
	expect "$GUEST_TIMERS timers of a guest: early 0, lost 0" \
		guest_passes --starts "$GUEST_TIMERS" --seed "$SEED" --longest "$LONGEST_US"
	# The shortest are due before KVM gets to arm them; in a slow kernel, most.
	say "armed: $(counter starts)"
	expect "and the module armed them" [ "$(counter starts)" -ge $((GUEST_TIMERS / 4)) ]
	stop_bending
else
	ktap_test_skip "$GUEST_TIMERS timers of a guest: no KVM, or timer_storm_guest is not built"
	ktap_test_skip "and the module armed them"
fi
finish
