// SPDX-License-Identifier: GPL-2.0
/*
 * A callback on a CPU whose TSC lags behind the one that the timekeeper has read.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/timekeeping.h>
#include <asm/msr.h>

#include "test.h"

static struct shot shot;

/* Returns whether the callback went on to its work; to be called with interrupts off. */
static bool goes_on(u64 deadline)
{
	shot.tt.deadline = deadline;
	return !(shot.is_node ? raw_hrtimer_node_restart(&shot.tt) :
				raw_hrtimer_restart(&shot.timer, deadline));
}

/*
 * The TSC is put back, with interrupts off, and asked for a deadline that the clock
 * has passed, and for one that it has not.  The hrtimer core would call a callback
 * that leaves an expiry of the past again at once.  args: milliseconds, 1 for a node.
 */
static void run_lag(const u64 *args)
{
	u64 lag = us_to_cycles(args[0] * USEC_PER_MSEC);
	bool lags, past_goes_on, ahead_goes_on;
	ktime_t clock, past, ahead;
	unsigned long flags;
	u64 now;

	shot_init(&shot, args[1], HRTIMER_MODE_ABS);
	/* The timekeeper reads the TSC with each tick, and that is what the clock keeps to. */
	mdelay(50);

	local_irq_save(flags);
	now = rdtsc_ordered();
	wrmsrq(MSR_IA32_TSC, now - lag);
	lags = rdtsc_ordered() < now;
	clock = ktime_get();
	past_goes_on = goes_on(now - lag / 2);
	past = hrtimer_get_expires(&shot.timer);
	ahead_goes_on = goes_on(now + lag);
	ahead = hrtimer_get_expires(&shot.timer);
	if (lags)
		wrmsrq(MSR_IA32_TSC, rdtsc_ordered() + lag);
	local_irq_restore(flags);

	if (!lags) {
		report("skip: the TSC cannot be written");
		check(true, "lag: nothing to see");
		return;
	}
	report("past: goes on %d, expires %lld after the clock", past_goes_on, past - clock);
	check(past_goes_on || past > clock, "lag: what the clock has passed is reached");
	check(!ahead_goes_on && ahead > clock, "lag: what it has not is to come");
}

const struct test_case lag_cases[] = {
	{ "lag", run_lag, "[MS] [NODE]", { 500 } },
	{ }
};
