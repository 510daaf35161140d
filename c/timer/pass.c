// SPDX-License-Identifier: GPL-2.0
/*
 * The way out of the listener: an irq_work, then a call to each CPU concerned.
 * Both are hard interrupts under PREEMPT_RT too, where a thread would wait behind
 * any task of a higher priority, and a timer be late by as much.  All locks here
 * and in the hrtimer core are raw ones.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#include "shim.h"

static void rht_pass_fn(struct irq_work *work)
{
	rust_raw_hrtimer_pass(smp_processor_id());
}

static struct irq_work rht_pass_work = IRQ_WORK_INIT_HARD(rht_pass_fn);

void rht_pass_queue(void)
{
	irq_work_queue(&rht_pass_work);
}

static void rht_called_fn(void *unused)
{
	rust_raw_hrtimer_called(smp_processor_id());
}

static DEFINE_PER_CPU(call_single_data_t, rht_csd) = CSD_INIT(rht_called_fn, NULL);

/* The caller ensures that one call to a CPU is under way at a time, see its kernel-doc. */
bool rht_rearm_on(int cpu)
{
	/* -ENXIO: the CPU is offline, the caller does its work. */
	return smp_call_function_single_async(cpu, per_cpu_ptr(&rht_csd, cpu)) != -ENXIO;
}

/*
 * The rest of a CPU's due timers, after a pause.  A timer's interrupt, because that of an
 * irq_work or of a call has a higher priority than all timers'.  A pause, so that a thread
 * which some of these timers have woken can run.
 */
struct rht_more {
	struct hrtimer timer;
	int cpu;
};

static DEFINE_PER_CPU(struct rht_more, rht_more);

static enum hrtimer_restart rht_more_fn(struct hrtimer *timer)
{
	rust_raw_hrtimer_more(container_of(timer, struct rht_more, timer)->cpu,
			      smp_processor_id());
	return HRTIMER_NORESTART;
}

void rht_rearm_more(int cpu, u32 pause)
{
	hrtimer_start(&per_cpu(rht_more, cpu).timer, pause, HRTIMER_MODE_REL_PINNED_HARD);
}

void rht_pass_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct rht_more *more = per_cpu_ptr(&rht_more, cpu);

		more->cpu = cpu;
		hrtimer_setup(&more->timer, rht_more_fn, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
}

void rht_pass_flush(void)
{
	int cpu;

	irq_work_sync(&rht_pass_work);
	/* A call that is under way has begun soon; what has begun ends with the grace period. */
	for_each_possible_cpu(cpu) {
		while (READ_ONCE(per_cpu(rht_queues, cpu).called))
			cpu_relax();
	}
	synchronize_rcu();
	/* The lists are empty: one that runs now starts no other. */
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(rht_more, cpu).timer);
}
