// SPDX-License-Identifier: GPL-2.0
/*
 * The listener's registration, and its way out where hooked timers are concerned.  The
 * listener is rust/clock/update.rs.
 */
#include <linux/irq_work.h>
#include <linux/notifier.h>
#include <linux/stddef.h>
#include <asm/tsc.h>

#include "shim.h"

/* The C compiler's layout of what the listener reads. */
const struct rht_layout rht_layout = {
	.tkr_mono	= offsetof(struct timekeeper, tkr_mono),
	.tkr_raw	= offsetof(struct timekeeper, tkr_raw),
	.timekeeper	= sizeof(struct timekeeper),
	.clock		= offsetof(struct tk_read_base, clock),
	.cycle_last	= offsetof(struct tk_read_base, cycle_last),
	.mult		= offsetof(struct tk_read_base, mult),
	.shift		= offsetof(struct tk_read_base, shift),
	.xtime_nsec	= offsetof(struct tk_read_base, xtime_nsec),
	.base		= offsetof(struct tk_read_base, base),
	.tk_read_base	= sizeof(struct tk_read_base),
	.clocksource_id	= RHT_CLOCKSOURCE_ID,
};

static struct notifier_block rht_gtod_nb = { .notifier_call = rust_raw_hrtimer_update };

int rht_gtod_register(void)
{
	return pvclock_gtod_register_notifier(&rht_gtod_nb);
}

/* A hard interrupt under PREEMPT_RT, too: see timer/pass.c. */
static void rht_tsc_restarted_fn(struct irq_work *work)
{
	rust_raw_hrtimer_tsc_restarted();
}

static struct irq_work rht_tsc_restarted_work = IRQ_WORK_INIT_HARD(rht_tsc_restarted_fn);

void rht_tsc_restarted(void)
{
	irq_work_queue(&rht_tsc_restarted_work);
}

void rht_gtod_unregister(void)
{
	pvclock_gtod_unregister_notifier(&rht_gtod_nb);
	irq_work_sync(&rht_tsc_restarted_work);
	rht_trace_flush();
}

u32 rht_tsc_khz(void)
{
	return tsc_khz;
}
