# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests that suspend the machine share; to be sourced after functions_storm.sh.

RTC=/sys/class/rtc/rtc0
ASLEEP_S=3

suspends() {
	sed -n 's/^success: *//p' $DEBUGFS/suspend_stats
}

rtc() {
	cat $RTC/since_epoch
}

# STATE [SINCE]: asleep, as of /sys/power/state, and awake again, by the RTC if nothing
# else wakes it; SLEPT is how many seconds that took, from what rtc was.
suspend_to() {
	since=${2:-$(rtc)}
	echo 0 > $RTC/wakealarm
	echo +$((2 * ASLEEP_S)) > $RTC/wakealarm
	echo "$1" > /sys/power/state || return 1
	SLEPT=$(($(rtc) - since))
	echo 0 > $RTC/wakealarm
	say "asleep for $SLEPT s"
}

# NUMBER COMMAND: as rounds, and the kernel has counted as many suspends.
suspend_rounds() {
	before_all=$(suspends)
	rounds "$1" "$2" && [ "$(suspends)" = $((before_all + $1)) ]
}

# STATE NAME
need_suspend() {
	grep -qw "$1" /sys/power/state 2> /dev/null || skip_all "the kernel has no $2"
	[ -w $RTC/wakealarm ] || skip_all "there is no RTC with an alarm"
	[ -r $DEBUGFS/suspend_stats ] || skip_all "the kernel does not count suspends"
}
