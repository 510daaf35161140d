// SPDX-License-Identifier: GPL-2.0
/*
 * What Rust cannot do: export symbols, call static inline functions, take a
 * raw spinlock, define per-CPU data and parameters.  Nothing here decides.
 */
#include <linux/export.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <asm/tsc.h>

#include "shim.h"

/* The exported functions; kernel-doc is in include/linux/raw_hrtimer.h. */

void raw_hrtimer_start(struct hrtimer *timer, u64 tsc_deadline, enum hrtimer_mode mode)
{
	rust_raw_hrtimer_start(timer, tsc_deadline, mode);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_start);

bool raw_hrtimer_finish(struct hrtimer *timer, u64 tsc_deadline)
{
	return rust_raw_hrtimer_finish(timer, tsc_deadline);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_finish);

int raw_hrtimer_expiry(u64 tsc_deadline, ktime_t *expiry)
{
	return rust_raw_hrtimer_expiry(tsc_deadline, expiry);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_expiry);

ktime_t raw_hrtimer_scale(ktime_t raw_delta)
{
	return rust_raw_hrtimer_scale(raw_delta);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_scale);

void raw_hrtimer_get_rate(struct raw_hrtimer_rate *rate)
{
	rust_raw_hrtimer_get_rate(rate);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_get_rate);

bool raw_hrtimer_node_start(struct tsc_timer *tt, enum hrtimer_mode mode)
{
	return rust_raw_hrtimer_node_start(tt, mode);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_start);

bool raw_hrtimer_node_restart(struct tsc_timer *tt)
{
	return rust_raw_hrtimer_node_restart(tt);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_restart);

void raw_hrtimer_node_cancel(struct tsc_timer *tt)
{
	rust_raw_hrtimer_node_cancel(tt);
}
EXPORT_SYMBOL_GPL(raw_hrtimer_node_cancel);

/* The C compiler's layout of what the listener reads. */

const struct rht_layout rht_layout = {
	.tkr_mono	= offsetof(struct timekeeper, tkr_mono),
	.tkr_raw	= offsetof(struct timekeeper, tkr_raw),
	.cs_id		= offsetof(struct timekeeper, cs_id),
	.ntp_err_mult	= offsetof(struct timekeeper, ntp_err_mult),
	.timekeeper	= sizeof(struct timekeeper),
	.cycle_last	= offsetof(struct tk_read_base, cycle_last),
	.mult		= offsetof(struct tk_read_base, mult),
	.shift		= offsetof(struct tk_read_base, shift),
	.xtime_nsec	= offsetof(struct tk_read_base, xtime_nsec),
	.base		= offsetof(struct tk_read_base, base),
	.tk_read_base	= sizeof(struct tk_read_base),
};

/* Forwarders to static inline functions and macros. */

u32 rht_tsc_khz(void)
{
	return tsc_khz;
}

bool rht_is_monotonic(const struct hrtimer *timer)
{
	return timer->base->clockid == CLOCK_MONOTONIC;
}

bool rht_is_queued(struct hrtimer *timer)
{
	return hrtimer_is_queued(timer);
}

void rht_warn_clock(void)
{
	WARN_ONCE(1, "raw_hrtimer: timer is not on CLOCK_MONOTONIC, armed unchanged\n");
}

void rht_warn_mode(void)
{
	WARN_ONCE(1, "raw_hrtimer: a deadline is absolute, HRTIMER_MODE_REL ignored\n");
}

/* Each CPU's list of pending tsc_timers. */

static DEFINE_PER_CPU(struct rht_queue, rht_queues);

struct rht_queue *rht_queue_lock(int cpu, unsigned long *flags)
{
	struct rht_queue *queue = per_cpu_ptr(&rht_queues, cpu);

	raw_spin_lock_irqsave(&queue->lock, *flags);
	return queue;
}

void rht_queue_unlock(struct rht_queue *queue, unsigned long flags)
{
	raw_spin_unlock_irqrestore(&queue->lock, flags);
}

/*
 * Of the CPU that a timer is queued on, or was last.  Its base, and with it the CPU,
 * changes where it is started; also when a CPU goes offline, so that this may be a
 * CPU's of before.
 */
static int rht_timer_cpu(const struct hrtimer *timer)
{
	return READ_ONCE(timer->base)->cpu_base->cpu;
}

struct rht_queue *rht_queue_lock_timers(const struct hrtimer *timer, int *cpu,
					unsigned long *flags)
{
	*cpu = rht_timer_cpu(timer);
	return rht_queue_lock(*cpu, flags);
}

/* Returns the CPU that the timer was queued on with the lock still held. */
int rht_queue_unlock_timers(struct rht_queue *queue, unsigned long flags,
			    const struct hrtimer *timer)
{
	int cpu = rht_timer_cpu(timer);

	rht_queue_unlock(queue, flags);
	return cpu;
}

/* With the lock of another queue held, that of a CPU with a lower number. */
struct rht_queue *rht_queue_lock_nested(int cpu, unsigned long *flags)
{
	struct rht_queue *queue = per_cpu_ptr(&rht_queues, cpu);

	raw_spin_lock_irqsave_nested(&queue->lock, *flags, SINGLE_DEPTH_NESTING);
	return queue;
}

int rht_next_cpu(int cpu)
{
	cpu = cpumask_next(cpu, cpu_possible_mask);
	return cpu < nr_cpu_ids ? cpu : -1;
}

/*
 * The way out of the listener: an irq_work, then a call to each CPU concerned.
 * Both are hard interrupts under PREEMPT_RT too, where a thread would wait behind
 * any task of a higher priority, and a timer be late by as much.  All locks here
 * and in the hrtimer core are raw ones.
 */

static void rht_pass_fn(struct irq_work *work)
{
	rust_raw_hrtimer_pass(smp_processor_id());
}

static struct irq_work rht_pass_work = IRQ_WORK_INIT_HARD(rht_pass_fn);

void rht_pass_queue(void)
{
	irq_work_queue(&rht_pass_work);
}

static void rht_tsc_restarted_fn(struct irq_work *work)
{
	rust_raw_hrtimer_tsc_restarted();
}

static struct irq_work rht_tsc_restarted_work = IRQ_WORK_INIT_HARD(rht_tsc_restarted_fn);

void rht_tsc_restarted(void)
{
	irq_work_queue(&rht_tsc_restarted_work);
}

static void rht_called_fn(void *unused)
{
	rust_raw_hrtimer_called(smp_processor_id());
}

static DEFINE_PER_CPU(call_single_data_t, rht_csd) = CSD_INIT(rht_called_fn, NULL);

/* One call to a CPU at a time, which is the caller's to see to: see its kernel-doc. */
bool rht_rearm_on(int cpu)
{
	/* -ENXIO: the CPU is offline, the caller does its work. */
	return smp_call_function_single_async(cpu, per_cpu_ptr(&rht_csd, cpu)) != -ENXIO;
}

/*
 * The rest of a CPU's due timers, a pause later: a timer's interrupt, because one
 * of irq_work or of a call has a higher priority than all timers', and a pause,
 * because a thread that some of these have woken has to run, too.
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

void rht_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct rht_queue *queue = per_cpu_ptr(&rht_queues, cpu);
		struct rht_more *more = per_cpu_ptr(&rht_more, cpu);

		raw_spin_lock_init(&queue->lock);
		INIT_LIST_HEAD(&queue->pending);
		INIT_LIST_HEAD(&queue->due);
		more->cpu = cpu;
		hrtimer_setup(&more->timer, rht_more_fn, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
}

void rht_pass_flush(void)
{
	int cpu;

	irq_work_sync(&rht_tsc_restarted_work);
	irq_work_sync(&rht_pass_work);
	/* A call that is under way has begun soon; what has begun ends with the grace period. */
	for_each_possible_cpu(cpu) {
		while (READ_ONCE(per_cpu(rht_queues, cpu).called))
			cpu_relax();
	}
	synchronize_rcu();
	/* The lists are empty: one that runs now asks for no other. */
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(rht_more, cpu).timer);
}
