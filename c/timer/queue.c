// SPDX-License-Identifier: GPL-2.0
/*
 * Each CPU's queue of pending tsc_timers: per-CPU data, raw spinlocks and lists, which Rust
 * does not have.  What is done with them rust/timer/pending.rs and pass.rs decide.
 */
#include <linux/cpumask.h>
#include <linux/list.h>
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

/* With the lock of another queue held, whose CPU has a lower number. */
struct rht_queue *rht_queue_lock_nested(int cpu, unsigned long *flags)
{
	struct rht_queue *queue = per_cpu_ptr(&rht_queues, cpu);

	raw_spin_lock_irqsave_nested(&queue->lock, *flags, SINGLE_DEPTH_NESTING);
	return queue;
}

/*
 * The CPU that a timer is queued on, or was last.  Its base, and with it the CPU, changes
 * where it is started, and where a CPU goes offline: then this may be the CPU of before.
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

/*
 * What follows is called with the locks of the queues held.  The owner's start and cancel
 * have their own (rust/ffi/list.rs).
 */

/* An owner that finds a tsc_timer on no queue may free it: so this is the last write to it. */
static void rht_set_cpu(struct tsc_timer *tt, int cpu)
{
	barrier();
	WRITE_ONCE(tt->cpu, cpu);
}

void rht_queue_remove(struct tsc_timer *tt)
{
	list_del_init(&tt->node);
	rht_set_cpu(tt, -1);
}

void rht_queue_transfer(struct rht_queue *to, struct tsc_timer *tt, int cpu)
{
	list_move_tail(&tt->node, &to->pending);
	rht_set_cpu(tt, cpu);
}

void rht_queue_begin_pass(struct rht_queue *queue)
{
	list_splice_tail_init(&queue->pending, &queue->due);
}

struct list_head *rht_queue_first_due(struct rht_queue *queue)
{
	return list_empty(&queue->due) ? NULL : queue->due.next;
}

void rht_queue_advance(struct rht_queue *queue, struct tsc_timer *tt)
{
	list_move_tail(&tt->node, &queue->pending);
}

void rht_queue_postpone(struct rht_queue *queue, struct tsc_timer *tt)
{
	list_move_tail(&tt->node, &queue->due);
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
