/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timers that expire at a host TSC value.
 *
 * hrtimers run on CLOCK_MONOTONIC, whose rate NTP bends, so a deadline that
 * counts the TSC is early or late by that rate.  A &struct tsc_timer keeps the
 * deadline itself beside the owner's hrtimer; a provider, which knows the rate,
 * arms the hrtimer for it.
 */
#ifndef _LINUX_TSC_TIMER_H
#define _LINUX_TSC_TIMER_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/types.h>

struct hrtimer_clock_base;
struct module;

/**
 * struct tsc_timer - a host TSC deadline beside an hrtimer
 * @timer:	the owner's hrtimer, on CLOCK_MONOTONIC
 * @deadline:	when @timer is to expire, in host TSC cycles; written by the
 *		owner, and only while @timer is not pending, nor in its callback
 *		before @restart has returned false there; where the TSC has been
 *		reset, once also while the callback runs, in one store
 *
 * The owner embeds it, initialises it with tsc_timer_setup(), and calls the
 * provider's operations, one at a time.  What was started has to be cancelled
 * before @timer is used for anything else, expired or not, and removed before
 * either of the two ends.
 */
struct tsc_timer {
	struct hrtimer		*timer;
	u64			deadline;
	/* private: the provider's; on a list of that CPU's if @cpu >= 0 */
	struct list_head	node;
	const struct hrtimer_clock_base *base;
	int			cpu;
	unsigned int		state;
	enum hrtimer_mode	mode;
	bool			expired;
};

/**
 * struct tsc_timer_ops - what a provider does for the owners of tsc_timers
 * @start:	arm @timer->timer for @timer->deadline.  A deadline that has
 *		passed fires at once.  Returns false, having done nothing, where
 *		it cannot: the owner arms the hrtimer itself, and the provider
 *		leaves it alone, as after @cancel.
 *		Context: any but NMI; the timer is not queued, or is queued and
 *		may be moved, and its callback does not run elsewhere.
 * @restart:	called first in the hrtimer's callback.  Returns true if the
 *		deadline is still to come and the hrtimer has been given the
 *		expiry for it: the callback does nothing more but return
 *		HRTIMER_RESTART.  Otherwise the provider need not forget @timer,
 *		only leave the hrtimer alone.  The callback may then write a
 *		later deadline, e.g. of the next period, and call it again; it
 *		never calls @start, which could undo a @cancel that has just
 *		run elsewhere.  Called as well for a timer that @start refused,
 *		and while @cancel runs elsewhere; in neither case may it undo
 *		the @cancel.
 *		Context: the hrtimer's callback.
 * @cancel:	leave the hrtimer alone: once it has returned, the provider
 *		touches neither that one nor @timer->deadline until the next
 *		@start.  The owner then cancels the hrtimer.  The provider may
 *		keep @timer on a list.  Context: any but NMI.
 * @remove:	forget @timer: once it has returned, the provider touches
 *		neither @timer nor the hrtimer again, as if @timer had just
 *		been set up.  Comes before either of them ends, and before
 *		the owner cancels the hrtimer for the last time; @cancel need
 *		not have been called.  Context: any but NMI.
 * @owner:	the provider's module
 */
struct tsc_timer_ops {
	bool (*start)(struct tsc_timer *timer, enum hrtimer_mode mode);
	bool (*restart)(struct tsc_timer *timer);
	void (*cancel)(struct tsc_timer *timer);
	void (*remove)(struct tsc_timer *timer);
	struct module *owner;
};

/**
 * tsc_timer_setup() - initialise a tsc_timer
 * @tt:		the tsc_timer
 * @timer:	the hrtimer that it stands beside, set up on CLOCK_MONOTONIC
 */
static inline void tsc_timer_setup(struct tsc_timer *tt, struct hrtimer *timer)
{
	tt->timer = timer;
	tt->deadline = 0;
	INIT_LIST_HEAD(&tt->node);
	tt->base = NULL;
	tt->cpu = -1;
	tt->state = 0;
	tt->mode = HRTIMER_MODE_ABS;
	tt->expired = false;
}

/**
 * kvm_register_tsc_timer_ops() - arm KVM's timers that count the TSC
 * @ops:	the provider's operations, all of them
 *
 * For a provider that must work without KVM as well: look both functions up
 * with symbol_get().  No reference to @ops->owner is kept, so that it can be
 * removed while guests run.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL if an operation is missing, -EBUSY if there is a provider
 * already, -ENODEV if @ops->owner is being removed.
 */
int kvm_register_tsc_timer_ops(const struct tsc_timer_ops *ops);

/**
 * kvm_unregister_tsc_timer_ops() - leave KVM's timers to KVM again
 * @ops:	what was registered
 *
 * Once it has returned, none of @ops runs or will be called.  That includes
 * @ops->remove, without which the provider does not learn of a tsc_timer that
 * goes away: it must refuse to start any more, and forget all that it has,
 * before.
 *
 * Context: may sleep.
 */
void kvm_unregister_tsc_timer_ops(const struct tsc_timer_ops *ops);

#endif /* _LINUX_TSC_TIMER_H */
