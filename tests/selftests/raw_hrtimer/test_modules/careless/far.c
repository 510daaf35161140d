// SPDX-License-Identifier: GPL-2.0
/*
 * A great many vCPUs, each with a timer that is far away; and one beside them whose
 * timer is not.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "vcpu.h"

#define MOST	(1 << 20)

/*
 * Created in a row, before a pause of a millisecond.  With 32 of them the pool of entries was
 * empty before its work item ran, on a machine whose host took a processor away for some 20 ms.
 */
#define BATCH	4

/*
 * How far the expiry of a timer that is exact may be from where its deadline is by now: the
 * clock dithers.  One that was left where it was is off by a tenth of what is left, and more.
 */
#define APART_NS	NSEC_PER_MSEC

/* Those of all vCPUs in one area, so that the slab has what others allocate for them. */
static struct kvm_vcpu *vcpus;
static ktime_t *remembered;
static unsigned int pending;

static struct kvm_vcpu *near;

static struct guest_timer *far_timer(unsigned int i)
{
	return &vcpus[i].timers[i % KINDS];
}

static void forget(void)
{
	vfree(vcpus);
	vfree(remembered);
	vcpus = NULL;
	remembered = NULL;
	pending = 0;
}

/* Returns how many of them were not pending any more, as each should be. */
static unsigned int destroy(void)
{
	unsigned int lost = 0;

	for (unsigned int i = 0; i < pending; i++) {
		kvm_arch_vcpu_destroy(&vcpus[i]);
		lost += far_timer(i)->cancels != 1 || far_timer(i)->wrong;
		cond_resched();
	}
	forget();
	return lost;
}

/* args: how many, milliseconds */
static void run_pending(const u64 *args)
{
	unsigned int n = min_t(u64, args[0], MOST);

	destroy();
	vcpus = vcalloc(n, sizeof(*vcpus));
	remembered = vcalloc(n, sizeof(*remembered));
	if (!vcpus || !remembered) {
		forget();
		check(false, "pending: memory");
		return;
	}
	for (pending = 0; pending < n; pending++) {
		for (int kind = 0; kind < KINDS; kind++)
			gtimer_setup(&vcpus[pending].timers[kind], kind, CLOCK_MONOTONIC);
		gtimer_start(&vcpus[pending], far_timer(pending),
			    us_to_cycles(args[1] * USEC_PER_MSEC), HRTIMER_MODE_ABS_HARD);
		if (pending % BATCH == 0)
			usleep_range(1000, 2000);
	}
	check(pending == n, "pending: %u timers", pending);
}

static void run_remember(const u64 *args)
{
	unsigned int queued = 0;

	for (unsigned int i = 0; i < pending; i++) {
		remembered[i] = hrtimer_get_expires(&far_timer(i)->timer);
		queued += hrtimer_is_queued(&far_timer(i)->timer);
	}
	check(queued == pending, "remember: %u of %u are queued", queued, pending);
}

/* How many have another expiry than they had; all are pending. */
static void run_moved(const u64 *args)
{
	unsigned int queued = 0, moved = 0;

	for (unsigned int i = 0; i < pending; i++) {
		moved += remembered[i] != hrtimer_get_expires(&far_timer(i)->timer);
		/* Not for the moment in which somebody moves it. */
		queued += READ_ONCE(far_timer(i)->armed);
	}
	report("moved: %u", moved);
	check(queued == pending, "moved: %u of %u are pending", queued, pending);
}

static void run_destroy(const u64 *args)
{
	unsigned int n = pending, lost = destroy();

	check(n && !lost, "destroy: %u of %u were not pending", lost, n);
}

/* args: milliseconds */
static void run_near(const u64 *args)
{
	if (near)
		vcpu_free(near);
	near = vcpu_create();
	if (near)
		gtimer_start(near, &near->timers[LAPIC], us_to_cycles(args[0] * USEC_PER_MSEC),
			    HRTIMER_MODE_ABS_HARD);
	check(near, "near: a timer is armed");
}

/* Its expiry is where the clock is, at its rate of now, at its deadline. */
static void run_near_moved(const u64 *args)
{
	struct guest_timer *t = near ? &near->timers[LAPIC] : NULL;
	/* Put back at once: until then raw_hrtimer cannot be removed. */
	typeof(&raw_hrtimer_expiry) expiry_of = symbol_get(raw_hrtimer_expiry);
	ktime_t least = 0, most = 0, expiry = 0;
	bool known = false;

	if (t && expiry_of) {
		guard(raw_spinlock_irqsave)(&t->lock);
		expiry = hrtimer_get_expires(&t->timer);
		known = t->armed && !expiry_of(t->deadline, &least) &&
			!expiry_of(t->deadline + 2 * t->started_in, &most);
	}
	if (expiry_of)
		symbol_put(raw_hrtimer_expiry);
	check(known && expiry >= least - APART_NS && expiry <= most + APART_NS,
	      "near: pending, its expiry %lld ns from its deadline", expiry - least);
}

static void run_near_done(const u64 *args)
{
	struct guest_timer *t = near ? &near->timers[LAPIC] : NULL;

	check(t && gtimer_wait(t) && t->fires == 1, "near: it came once");
	if (!t)
		return;
	check(!t->early, "near: not early, %llu cycles", t->earliest);
	check(!t->wrong, "near: as it should");
	vcpu_free(near);
	near = NULL;
}

void far_exit(void)
{
	destroy();
	if (near)
		vcpu_free(near);
}

const struct test_case far_cases[] = {
	{ "pending", run_pending, "[NUMBER [MS]]", { 20000, 3600000 } },
	{ "remember", run_remember, "" },
	{ "moved", run_moved, "" },
	{ "destroy", run_destroy, "" },
	{ "near", run_near, "[MS]", { 2000 } },
	{ "near_moved", run_near_moved, "" },
	{ "near_done", run_near_done, "" },
	{ }
};
