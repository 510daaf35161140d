// SPDX-License-Identifier: GPL-2.0
/*
 * raw_hrtimer_test_fault.ko: commits the fault that its parameter names, so that
 * a kernel's checker can show that it is there and awake.  Only on a kernel that
 * has the checker: insmod fails with ENODEV on another, with EINVAL if there
 * is no such fault, and nothing was done.
 */
#include <linux/debugobjects.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

MODULE_DESCRIPTION("Deliberate faults, for a kernel's checkers to find");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

static char *kind = "";
module_param(kind, charp, 0400);
MODULE_PARM_DESC(kind, "the fault to commit");

static void use_after_free(void)
{
	u64 *word = kmalloc(sizeof(*word), GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(word);	/* the compiler sees it, too */
	kfree(word);
	READ_ONCE(*word);
}

/* Two locks, in both orders. */
static void lock_order(void)
{
	static DEFINE_SPINLOCK(a);
	static DEFINE_SPINLOCK(b);

	spin_lock(&a);
	spin_lock(&b);
	spin_unlock(&b);
	spin_unlock(&a);

	spin_lock(&b);
	spin_lock(&a);
	spin_unlock(&a);
	spin_unlock(&b);
}

/* What sleeps under PREEMPT_RT, inside what does not. */
static void lock_nesting(void)
{
	static DEFINE_RAW_SPINLOCK(outer);
	static DEFINE_SPINLOCK(inner);

	raw_spin_lock(&outer);
	spin_lock(&inner);
	spin_unlock(&inner);
	raw_spin_unlock(&outer);
}

static void sleep_atomic(void)
{
	static DEFINE_MUTEX(mutex);

	preempt_disable();
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	preempt_enable();
}

static void rcu(void)
{
	static int __rcu *pointer;

	rcu_dereference(pointer);
}

static enum hrtimer_restart never(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

/* Its memory is freed while it is pending; debugobjects cancels it. */
static void active_timer(void)
{
	struct hrtimer *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	hrtimer_setup(timer, never, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(timer, ms_to_ktime(3600 * MSEC_PER_SEC), HRTIMER_MODE_REL);
	kfree(timer);
}

/* Interrupts are restored although somebody has enabled them. */
static void irq_flags(void)
{
	unsigned long flags;

	local_irq_save(flags);
	local_irq_enable();
	local_irq_restore(flags);
}

static void this_cpu(void)
{
	smp_processor_id();
}

static void shift(void)
{
	int bits = 32, word = 1;

	OPTIMIZER_HIDE_VAR(bits);
	OPTIMIZER_HIDE_VAR(word);
	word <<= bits;
	OPTIMIZER_HIDE_VAR(word);
}

static void bounds(void)
{
	static int words[4];
	int word, index = ARRAY_SIZE(words);

	OPTIMIZER_HIDE_VAR(index);
	word = words[index];
	OPTIMIZER_HIDE_VAR(word);
}

static void list(void)
{
	LIST_HEAD(head);
	LIST_HEAD(entry);

	list_add(&entry, &head);
	list_del(&entry);
	list_del(&entry);
}

#define FAULT(name, config) { #name, name, #config, IS_ENABLED(CONFIG_##config) }

static const struct fault {
	const char *name;
	void (*commit)(void);
	const char *config;
	bool is_checked;
} faults[] = {
	FAULT(use_after_free, KASAN),
	FAULT(lock_order, PROVE_LOCKING),
	FAULT(lock_nesting, PROVE_RAW_LOCK_NESTING),
	FAULT(sleep_atomic, DEBUG_ATOMIC_SLEEP),
	FAULT(rcu, PROVE_RCU),
	FAULT(active_timer, DEBUG_OBJECTS_TIMERS),
	FAULT(irq_flags, DEBUG_IRQFLAGS),
	FAULT(this_cpu, DEBUG_PREEMPT),
	FAULT(shift, UBSAN_SHIFT),
	FAULT(bounds, UBSAN_BOUNDS),
	FAULT(list, DEBUG_LIST),
};

static int __init fault_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *fault = &faults[i];

		if (strcmp(fault->name, kind))
			continue;
		if (!fault->is_checked) {
			pr_info("this kernel has no CONFIG_%s\n", fault->config);
			return -ENODEV;
		}
		pr_info("%s, which CONFIG_%s reports\n", fault->name, fault->config);
		fault->commit();
		return 0;
	}
	return -EINVAL;
}
module_init(fault_init);

static void __exit fault_exit(void)
{
}
module_exit(fault_exit);
