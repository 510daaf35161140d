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

/* What follows is called with the locks of the queues held. */

void rht_queue_add(struct rht_queue *queue, struct tsc_timer *tt)
{
	list_add_tail(&tt->node, &queue->pending);
}

void rht_queue_remove(struct tsc_timer *tt)
{
	list_del_init(&tt->node);
}

void rht_queue_transfer(struct rht_queue *to, struct tsc_timer *tt)
{
	list_move_tail(&tt->node, &to->pending);
}

void rht_queue_begin_pass(struct rht_queue *queue)
{
	list_splice_tail_init(&queue->pending, &queue->due);
}

bool rht_queue_is_empty(struct rht_queue *queue)
{
	return list_empty(&queue->pending) && list_empty(&queue->due);
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
