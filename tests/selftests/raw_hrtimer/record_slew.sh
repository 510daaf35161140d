#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Writes down what chronyd does to the clock, at its default maxslewrate, when that
# is set forward and later back: for "slew replay".

DIR=$(dirname "$(readlink -f "$0")")
# shellcheck source=functions.sh
. "$DIR/functions.sh"
. "$DIR/functions_chrony.sh"

SECONDS_EACH=12

REFCLOCK=$(find_program refclock) && SLEW=$(find_program slew) || exit 1
trap clean_up EXIT
start_chronyd "$REFCLOCK" || exit 1
sleep 10		# until it has its first samples
cat <<-END
# SPDX-License-Identifier: GPL-2.0
# What chronyd did when the clock had been set forward, and then back, by some tenths
# of a second: seconds, tick, frequency (adjtimex).  Recorded by
#   scripts/vm --machine vmx -- sh /selftests/raw_hrtimer/record_slew.sh
END
"$SLEW" record $((3 * SECONDS_EACH)) &
sleep 2
spoil
sleep $SECONDS_EACH
spoil
wait $!
