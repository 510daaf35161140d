// SPDX-License-Identifier: GPL-2.0
/*
 * So many timers, one after another in each of a number of slots, half of them
 * nodes, for random distances of each order of magnitude, while the script
 * changes the rate.  All follow from a seed: the same seed gives the same
 * distances, in the same order on each CPU.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "test.h"

#define WORKERS_MAX 64
#define ORDERS 12

/* Emulators share their processor with others: this long after it is not lost. */
#define PATIENCE_US (20 * USEC_PER_SEC)

struct slot {
	struct shot shot;
	bool started;
	u64 number;		/* of its worker's timers */
	u64 distance;
};

struct worker {
	struct task_struct *task;
	struct slot *slots;
	unsigned int id, n_slots;
	u64 wanted, longest;
	struct rnd_state rnd;
	u64 starts, fires, early, as_plain, lost, twice, late, calls;
	struct slot first_wrong;
};

static u64 random_distance(struct worker *w)
{
	u64 range = max(w->longest >> (prandom_u32_state(&w->rnd) % ORDERS), 1);

	return ((u64)prandom_u32_state(&w->rnd) * range >> 32) + 1;
}

static void start(struct worker *w, struct slot *slot)
{
	struct shot *shot = &slot->shot;
	u64 deadline;

	slot->number = w->starts++;
	slot->distance = random_distance(w);
	slot->started = true;
	shot->is_node = prandom_u32_state(&w->rnd) & 1;
	deadline = rdtsc_ordered() + slot->distance;

	/* What is used where the clocksource is not the TSC: a node is not armed then. */
	hrtimer_set_expires(&shot->timer, ktime_add_ns(ktime_get(), slot->distance));
	if (!shot_start(shot, deadline, HRTIMER_MODE_ABS)) {
		shot->is_node = false;
		shot_start(shot, deadline, HRTIMER_MODE_ABS);
	}
}

static void wrong(struct worker *w, struct slot *slot)
{
	if (!(w->early + w->lost + w->twice))
		w->first_wrong = *slot;
}

/* Returns true if the slot is to be had. */
static bool look(struct worker *w, struct slot *slot)
{
	struct shot *shot = &slot->shot;

	if (!slot->started)
		return true;
	if (!READ_ONCE(shot->fires)) {
		if (rdtsc_ordered() < shot->deadline + us_to_cycles(PATIENCE_US))
			return false;
		wrong(w, slot);
		w->lost++;
	}
	/* Waits for a callback that has counted, and is yet to return. */
	shot_cancel(shot);
	slot->started = false;
	w->fires += shot->fires;
	w->calls += shot->calls;
	if (shot->fires > 1) {
		wrong(w, slot);
		w->twice++;
	}
	if (!shot->fires)
		return true;
	if (shot->fired >= shot->deadline) {
		if (shot->is_node)
			w->late = max(w->late, shot_late(shot));
	} else if (shot->as_plain) {
		w->as_plain++;
	} else {
		wrong(w, slot);
		w->early++;
	}
	return true;
}

static int work(void *data)
{
	struct worker *w = data;
	bool busy = true;

	while (busy) {
		busy = false;
		for (unsigned int i = 0; i < w->n_slots; i++) {
			struct slot *slot = &w->slots[i];

			if (look(w, slot) && w->starts < w->wanted && !kthread_should_stop())
				start(w, slot);
			busy |= slot->started;
		}
		usleep_range(50, 100);
	}
	/* The one who started it says when it has gone. */
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static void report_wrong(const struct worker *w, u64 seed)
{
	const struct shot *shot = &w->first_wrong.shot;

	report("seed %llu, worker %u of its timers %llu: a %s, %llu cycles ahead, %s", seed, w->id,
	       w->first_wrong.number, shot->is_node ? "node" : "plain timer",
	       w->first_wrong.distance,
	       !shot->fires ? "lost" : shot->fires > 1 ? "twice" : "early");
	if (shot->fires)
		report("fired %lld cycles after its deadline, in call %u",
		       (s64)(shot->fired - shot->deadline), shot->calls);
}

static void judge(const struct worker *workers, unsigned int n, u64 wanted, u64 seed)
{
	u64 starts = 0, fires = 0, early = 0, lost = 0, twice = 0, as_plain = 0, late = 0, calls = 0;

	for (unsigned int i = 0; i < n; i++) {
		const struct worker *w = &workers[i];

		starts += w->starts;
		fires += w->fires;
		early += w->early;
		as_plain += w->as_plain;
		lost += w->lost;
		twice += w->twice;
		calls += w->calls;
		late = max(late, w->late);
		if (w->early + w->lost + w->twice)
			report_wrong(w, seed);
	}
	check(starts >= wanted, "soak: %llu of %llu timers were started", starts, wanted);
	check(!early, "soak: early: %llu", early);
	check(!lost, "soak: lost: %llu", lost);
	check(!twice && fires == starts, "soak: %llu fired, %llu of them more than once", fires,
	      twice);
	report("starts: %llu", starts);
	report("calls: %llu", calls);
	report("early_as_plain: %llu", as_plain);
	report("late: %llu", late);
}

/* args: timers, seed, longest distance in us */
static void run_soak(const u64 *args)
{
	struct worker *workers = kcalloc(WORKERS_MAX, sizeof(*workers), GFP_KERNEL);
	unsigned int cpu, n = 0, online, per_worker;
	struct slot *slots;

	/* One that goes later leaves its worker to another. */
	cpus_read_lock();
	online = min(num_online_cpus(), WORKERS_MAX);
	per_worker = max(nodes / online, 1);
	slots = vcalloc(per_worker * online, sizeof(*slots));
	if (!workers || !slots) {
		cpus_read_unlock();
		check(false, "soak: memory for %u timers at once", nodes);
		goto out;
	}
	for (unsigned int i = 0; i < per_worker * online; i++)
		shot_init(&slots[i].shot, true, HRTIMER_MODE_ABS);

	for_each_online_cpu(cpu) {
		struct worker *w = &workers[n];
		struct task_struct *task;

		if (n == online)
			break;
		w->id = n;
		w->slots = &slots[per_worker * n];
		w->n_slots = per_worker;
		w->wanted = DIV_ROUND_UP(args[0], online);
		w->longest = us_to_cycles(args[2]);
		prandom_seed_state(&w->rnd, args[1] + n);
		task = kthread_create(work, w, "raw_hrtimer_soak/%u", cpu);
		if (IS_ERR(task))
			break;
		/* May be moved, as CPUs may go. */
		set_cpus_allowed_ptr(task, cpumask_of(cpu));
		w->task = task;
		n++;
	}
	cpus_read_unlock();
	check(n, "soak: %u threads", n);
	for (unsigned int i = 0; i < n; i++)
		wake_up_process(workers[i].task);
	for (unsigned int i = 0; i < n; i++) {
		while (READ_ONCE(workers[i].starts) < workers[i].wanted)
			msleep(20);
		kthread_stop(workers[i].task);
	}
	judge(workers, n, args[0], args[1]);
out:
	vfree(slots);
	kfree(workers);
}

const struct test_case soak_cases[] = {
	{ "soak", run_soak, "[TIMERS] [SEED] [LONGEST_US]", { 20000, 1, 20000 } },
	{ }
};
