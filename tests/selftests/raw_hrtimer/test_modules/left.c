// SPDX-License-Identifier: GPL-2.0
/*
 * Timers that are armed by one case and waited for by another: in between the
 * script does what it cannot do while a process of its own waits in the kernel,
 * such as suspending the machine.
 */
#include <linux/suspend.h>

#include "test.h"

static struct shot left[2];	/* a plain timer, and a node */
static bool armed;

/* Wakes a machine that is suspended to idle; where its timers stop, the RTC has to. */
static struct hrtimer alarm;
static bool alarm_set;

static enum hrtimer_restart alarm_fn(struct hrtimer *timer)
{
	pm_system_wakeup();
	return HRTIMER_NORESTART;
}

/* args: milliseconds */
static void run_wake(const u64 *args)
{
	if (!alarm_set)
		hrtimer_setup(&alarm, alarm_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	alarm_set = true;
	hrtimer_start(&alarm, ms_to_ktime(args[0]), HRTIMER_MODE_REL);
	check(true, "wake: the alarm is set");
}

static void forget(void)
{
	for (int i = 0; i < ARRAY_SIZE(left) && armed; i++)
		shot_cancel(&left[i]);
	armed = false;
}

/* args: milliseconds */
static void run_leave(const u64 *args)
{
	forget();
	for (int i = 0; i < ARRAY_SIZE(left); i++) {
		shot_init(&left[i], i, HRTIMER_MODE_ABS);
		shot_start(&left[i], rdtsc_ordered() + us_to_cycles(args[0] * USEC_PER_MSEC),
			   HRTIMER_MODE_ABS);
	}
	armed = true;
	check(true, "leave: two timers are armed");
}

static void run_find(const u64 *args)
{
	check(armed, "find: timers were armed");
	if (!armed)
		return;
	report("passed: %d", rdtsc_ordered() >= left[1].deadline);
	check_shot(&left[0], "find: plain");
	check_shot(&left[1], "find: node");
	armed = false;
}

/* What a script cannot read. */
static void run_tsc(const u64 *args)
{
	u64 tsc = rdtsc_ordered();

	report("tsc: %llu", tsc);
	check(tsc, "tsc: it counts");
}

/* As when the clocksource's watchdog or KVM finds it so. */
static void run_unstable(const u64 *args)
{
	mark_tsc_unstable("a test of raw_hrtimer");
	check(check_tsc_unstable(), "unstable: the kernel thinks so");
}

/* The module goes. */
void left_exit(void)
{
	forget();
	if (alarm_set)
		hrtimer_cancel(&alarm);
}

const struct test_case left_cases[] = {
	{ "leave", run_leave, "[MS]", { 1000 } },
	{ "find", run_find, "" },
	{ "wake", run_wake, "[MS]", { 3000 } },
	{ "tsc", run_tsc, "" },
	{ "unstable", run_unstable, "" },
	{ }
};
