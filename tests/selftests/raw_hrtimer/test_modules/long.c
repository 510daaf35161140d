// SPDX-License-Identifier: GPL-2.0
/*
 * A soft callback that is interrupted for long, as PREEMPT_RT preempts one, after it
 * has moved its timer: how often the module asks for it meanwhile.
 */
#include <linux/delay.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "test.h"

static struct shot shot;
static unsigned int long_ms, interrupts;

static enum hrtimer_restart long_fn(struct hrtimer *timer)
{
	if (!raw_hrtimer_node_restart(&shot.tt)) {
		shot.fired = rdtsc_ordered();
		shot.fires++;
		complete(&shot.done);
		return HRTIMER_NORESTART;
	}
	if (!shot.calls++) {
		unsigned int before = irqs_seen();

		mdelay(long_ms);
		interrupts = irqs_seen() - before;
	}
	return HRTIMER_RESTART;
}

/* args: milliseconds until the callback runs, and that it takes; it is early by as much again. */
static void run_long_callback(const u64 *args)
{
	int cpu = raw_smp_processor_id();
	ktime_t first;

	shot_init(&shot, true, HRTIMER_MODE_ABS_PINNED_SOFT);
	hrtimer_setup(&shot.timer, long_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	long_ms = args[1];
	if (!irqs_watch(cpu)) {
		check(false, "long_callback: interrupts can be counted");
		return;
	}
	shot_start(&shot, rdtsc_ordered() + us_to_cycles((args[0] + 2 * args[1]) * USEC_PER_MSEC),
		   HRTIMER_MODE_ABS_PINNED_SOFT);
	first = ktime_add_ms(ktime_get(), args[0]);
	hrtimer_start(&shot.timer, first, HRTIMER_MODE_ABS_PINNED_SOFT);
	check_shot(&shot, "long_callback");
	irqs_unwatch();
	report("interrupts: %u", interrupts);
}

const struct test_case long_cases[] = {
	{ "long_callback", run_long_callback, "[MS] [MS]", { 1000, 1000 } },
	{ }
};
