// SPDX-License-Identifier: GPL-2.0
/* The exported functions, whose kernel-doc is in include/linux/raw_hrtimer.h. */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/preempt.h>

#include "shim.h"

void raw_hrtimer_start(struct hrtimer *timer, u64 tsc_deadline, enum hrtimer_mode mode)
{
	rust_raw_hrtimer_start(timer, tsc_deadline, mode);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_start);

bool raw_hrtimer_restart(struct hrtimer *timer, u64 tsc_deadline)
{
	return rust_raw_hrtimer_restart(timer, tsc_deadline);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_restart);

int raw_hrtimer_expiry(u64 tsc_deadline, ktime_t *expiry)
{
	return rust_raw_hrtimer_expiry(tsc_deadline, expiry);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_expiry);

void raw_hrtimer_get_rate(struct raw_hrtimer_rate *rate)
{
	rust_raw_hrtimer_get_rate(rate);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_get_rate);

bool raw_hrtimer_node_start(struct tsc_timer *tt, enum hrtimer_mode mode)
{
	if (unlikely(!tt))
		return false;

	/* A start that is interrupted is over soon, one that is preempted may not be. */
	guard(preempt)();
	return rust_raw_hrtimer_node_start(tt, mode);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_start);

bool raw_hrtimer_node_restart(struct tsc_timer *tt)
{
	return likely(tt) && rust_raw_hrtimer_node_restart(tt);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_restart);

void raw_hrtimer_node_cancel(struct tsc_timer *tt)
{
	if (likely(tt))
		rust_raw_hrtimer_node_cancel(tt);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_cancel);

void raw_hrtimer_node_remove(struct tsc_timer *tt)
{
	if (likely(tt))
		rust_raw_hrtimer_node_remove(tt);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_remove);
