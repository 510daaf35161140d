// SPDX-License-Identifier: GPL-2.0
/*
 * What Rust calls where a tracepoint is on.  The branch that decides it is in Rust, so
 * that a tracepoint that is off costs no call: rust/ffi/trace.rs.
 */
#include <linux/irq_work.h>

#include "shim.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void rht_trace_start(const struct hrtimer *timer, u64 deadline, ktime_t expires)
{
	trace_start(timer, deadline, expires);
}

void rht_trace_expire(const struct hrtimer *timer, u64 deadline, u64 tsc)
{
	trace_expire(timer, deadline, tsc);
}

void rht_trace_rearm(const struct hrtimer *timer, u64 deadline, ktime_t expires)
{
	trace_rearm(timer, deadline, expires);
}

/*
 * The listener runs inside the timekeeper's update, where whatever is attached to a
 * tracepoint must not read a clock or print.
 */
static void rht_trace_rate_fn(struct irq_work *work)
{
	struct raw_hrtimer_rate rate;

	raw_hrtimer_get_rate(&rate);
	trace_rate(&rate);
}

static struct irq_work rht_trace_rate_work = IRQ_WORK_INIT_HARD(rht_trace_rate_fn);

void rht_trace_rate(void)
{
	irq_work_queue(&rht_trace_rate_work);
}

/* The listener is unregistered. */
void rht_trace_flush(void)
{
	irq_work_sync(&rht_trace_rate_work);
}

void rht_trace_attach(enum rht_attach way)
{
	unsigned int hooked = 0;
	int id;

	for (id = 0; id < RHT_TARGETS; id++)
		hooked |= rht_hooked_used(id) ? BIT(id) : 0;
	trace_attach(way, hooked);
}
