// SPDX-License-Identifier: GPL-2.0
/*
 * What the table of hooked timers (rust/ffi/table.rs, pool.rs) needs of C: a raw spinlock,
 * interrupts off, a work item that may sleep, and RCU.
 */
#include <linux/irq_work.h>
#include <linux/cpumask.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "shim.h"

/*
 * An entry that is being freed.  It is in no chain any more, so nobody reads its link in the
 * vCPU's chain, nor its vCPU: the rcu_head takes their place.  A lookup that found the entry
 * before may still be using the rest.
 */
union rht_freed {
	struct rht_entry	entry;
	struct {
		u8		before[offsetof(struct rht_entry, next_of_vcpu)];
		struct rcu_head	rcu;
	};
};

static_assert(sizeof(union rht_freed) <= 128);
static_assert(offsetof(union rht_freed, rcu) + sizeof(struct rcu_head) <=
	      offsetof(struct rht_entry, target));

unsigned long rht_irq_save(void)
{
	unsigned long flags;

	local_irq_save(flags);
	return flags;
}

void rht_irq_restore(unsigned long flags)
{
	local_irq_restore(flags);
}

static DEFINE_RAW_SPINLOCK(rht_entries_spinlock);

unsigned long rht_entries_lock(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&rht_entries_spinlock, flags);
	return flags;
}

void rht_entries_unlock(unsigned long flags)
{
	raw_spin_unlock_irqrestore(&rht_entries_spinlock, flags);
}

static void rht_entries_work_fn(struct work_struct *work)
{
	rust_raw_hrtimer_entries_work();
}

static DECLARE_WORK(rht_entries_work, rht_entries_work_fn);

/* By an irq_work, because a start may hold a lock that queue_work() takes as well. */
static void rht_entries_irq_work_fn(struct irq_work *work)
{
	queue_work(system_highpri_wq, &rht_entries_work);
}

static struct irq_work rht_entries_irq_work = IRQ_WORK_INIT_HARD(rht_entries_irq_work_fn);

void rht_entries_queue_work(void)
{
	irq_work_queue(&rht_entries_irq_work);
}

void rht_entries_flush_work(void)
{
	irq_work_sync(&rht_entries_irq_work);
	cancel_work_sync(&rht_entries_work);
}

/* Frees an entry after a grace period, because a lookup may have found it before. */
void rht_entry_free(struct rht_entry *entry)
{
	union rht_freed *freed = container_of(entry, union rht_freed, entry);

	kfree_rcu(freed, rcu);
}

unsigned int rht_possible_cpus(void)
{
	return num_possible_cpus();
}
