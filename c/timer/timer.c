// SPDX-License-Identifier: GPL-2.0
/* What hrtimers have as static inline functions and macros. */
#include <linux/bug.h>
#include <linux/hrtimer.h>

#include "shim.h"

bool rht_is_monotonic(const struct hrtimer *timer)
{
	return timer->base->clockid == CLOCK_MONOTONIC;
}

bool rht_is_queued(struct hrtimer *timer)
{
	return hrtimer_is_queued(timer);
}

/*
 * The CPU that a timer is queued on, or was last.  Its base, and with it the CPU, changes
 * where it is started, and where a CPU goes offline: then this may be the CPU of before.
 */
int rht_timer_cpu(const struct hrtimer *timer)
{
	return READ_ONCE(timer->base)->cpu_base->cpu;
}

void rht_warn_clock(void)
{
	WARN_ONCE(1, "raw_hrtimer: timer is not on CLOCK_MONOTONIC, armed unchanged\n");
}

void rht_warn_mode(void)
{
	WARN_ONCE(1, "raw_hrtimer: a deadline is absolute, HRTIMER_MODE_REL ignored\n");
}
