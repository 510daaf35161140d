// SPDX-License-Identifier: GPL-2.0
/*
 * Has the clockevents of other CPUs programmed anew after a speed-up.  A start does so on its own
 * CPU.  But on a CPU of nohz_full's the hrtimer core queues a timer that is not pinned elsewhere
 * (get_nohz_timer_target()), on any of the CPUs that are left for the kernel's work.
 */
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>

#include "shim.h"

/* A CPU was called, and has not yet looked at the rate. */
static DEFINE_PER_CPU(int, rht_renew_called);

static void rht_renew_called_fn(void *unused)
{
	/* Full barriers here and there: a rate is seen by this call, or by the next. */
	xchg(this_cpu_ptr(&rht_renew_called), 0);
	rust_raw_hrtimer_renew();
}

static DEFINE_PER_CPU(call_single_data_t, rht_renew_csd) = CSD_INIT(rht_renew_called_fn, NULL);

static void rht_renew_call(int cpu)
{
	int *called = per_cpu_ptr(&rht_renew_called, cpu);

	if (xchg(called, 1))
		return;
	/* -ENXIO: it is offline, and when it comes online it has no event. */
	if (smp_call_function_single_async(cpu, per_cpu_ptr(&rht_renew_csd, cpu)))
		WRITE_ONCE(*called, 0);
}

static void rht_renew_fn(struct irq_work *work)
{
	int cpu;

	for_each_cpu(cpu, housekeeping_cpumask(HK_TYPE_KERNEL_NOISE))
		rht_renew_call(cpu);
}

/* A hard interrupt under PREEMPT_RT too, as in timer/pass.c. */
static struct irq_work rht_renew_work = IRQ_WORK_INIT_HARD(rht_renew_fn);

/* Called by the listener.  Without CPUs of nohz_full's nothing needs to be done. */
void rht_renew_elsewhere(void)
{
	if (!READ_ONCE(rht_uncoupled) && housekeeping_enabled(HK_TYPE_KERNEL_NOISE))
		irq_work_queue(&rht_renew_work);
}

/*
 * No listener is left that asks.  A call that is under way has begun when this returns, and ends
 * with the next grace period.
 */
void rht_renew_flush(void)
{
	int cpu;

	irq_work_sync(&rht_renew_work);
	for_each_possible_cpu(cpu) {
		while (READ_ONCE(per_cpu(rht_renew_called, cpu)))
			cpu_relax();
	}
}
