// SPDX-License-Identifier: GPL-2.0
/*
 * Each CPU's list of pending tsc_timers, and its lock: per-CPU data and raw spinlocks, which
 * Rust does not have.  What is on the lists, rust/timer/pending.rs decides.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include "shim.h"

DEFINE_PER_CPU(struct rht_queue, rht_queues);

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

void rht_queues_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct rht_queue *queue = per_cpu_ptr(&rht_queues, cpu);

		raw_spin_lock_init(&queue->lock);
		INIT_LIST_HEAD(&queue->pending);
		INIT_LIST_HEAD(&queue->due);
	}
}
