// SPDX-License-Identifier: GPL-2.0
/*
 * A thread on each CPU starts and cancels nodes that they all share, a lock on
 * each, while the script bends the clock: every start ends in exactly one
 * firing or one cancel.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "test.h"

#define THREADS_MAX 64

struct contested {
	struct mutex lock;
	struct shot shot;
	bool started;
};

static struct contested *all;

struct worker {
	struct task_struct *task;
	unsigned int seed;
	u64 starts, fires, cancels, early, wrong, late;
};

/* What became of a node that was started, once it is cancelled or has fired; every other one is removed. */
static void settle(struct worker *w, struct contested *c)
{
	bool remove = w->starts % 2;
	bool pending = remove ? shot_cancel(&c->shot) : shot_cancel_only(&c->shot);

	c->started = false;
	if (pending)
		w->cancels++;
	w->fires += c->shot.fires;
	if (pending + c->shot.fires != 1 || (remove && c->shot.tt.cpu >= 0))
		w->wrong++;
	if (!c->shot.fires)
		return;
	if (c->shot.fired < c->shot.deadline)
		w->early++;
	else
		w->late = max(w->late, shot_late(&c->shot));
}

static int work(void *data)
{
	struct worker *w = data;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, w->seed);
	while (!kthread_should_stop()) {
		struct contested *c = &all[prandom_u32_state(&rnd) % nodes];

		mutex_lock(&c->lock);
		if (c->started)
			settle(w, c);
		shot_start(&c->shot, rdtsc_ordered() +
			   us_to_cycles(prandom_u32_state(&rnd) % 5000), HRTIMER_MODE_ABS);
		c->started = true;
		w->starts++;
		mutex_unlock(&c->lock);
		if (w->starts % 16 == 0)
			usleep_range(500, 1000);
		cond_resched();
	}
	return 0;
}

static void judge(struct worker *workers, unsigned int n)
{
	struct worker sum = { };

	for (unsigned int i = 0; i < n; i++) {
		sum.starts += workers[i].starts;
		sum.fires += workers[i].fires;
		sum.cancels += workers[i].cancels;
		sum.early += workers[i].early;
		sum.wrong += workers[i].wrong;
		sum.late = max(sum.late, workers[i].late);
	}
	check(sum.starts, "stress: nodes were started");
	check(!sum.early, "stress: not early, %llu are", sum.early);
	check(!sum.wrong, "stress: each fires or is cancelled, %llu do neither or both", sum.wrong);
	check(sum.starts == sum.fires + sum.cancels, "stress: %llu starts, %llu fires, %llu cancels",
	      sum.starts, sum.fires, sum.cancels);
	report("starts: %llu", sum.starts);
	report("late: %llu", sum.late);
}

/* args: milliseconds */
static void run_stress(const u64 *args)
{
	struct worker *workers = kcalloc(THREADS_MAX, sizeof(*workers), GFP_KERNEL);
	unsigned int n = 0, cpu;

	all = vcalloc(nodes ?: 1, sizeof(*all));
	if (!workers || !all || !nodes) {
		check(false, "stress: memory for some nodes");
		goto out;
	}
	for (unsigned int i = 0; i < nodes; i++) {
		mutex_init(&all[i].lock);
		shot_init(&all[i].shot, true, HRTIMER_MODE_ABS);
	}

	for_each_online_cpu(cpu) {
		struct worker *w = &workers[n];
		struct task_struct *task;

		if (n == THREADS_MAX)
			break;
		w->seed = cpu + 1;
		task = kthread_run_on_cpu(work, w, cpu, "raw_hrtimer_test/%u");
		if (IS_ERR(task))
			break;
		w->task = task;
		n++;
	}
	check(n, "stress: %u threads", n);
	if (n)
		msleep(args[0]);
	for (unsigned int i = 0; i < n; i++)
		kthread_stop(workers[i].task);
	for (unsigned int i = 0; i < nodes; i++) {
		if (all[i].started)
			settle(&workers[0], &all[i]);
		raw_hrtimer_node_remove(&all[i].shot.tt);
	}
	judge(workers, n);
out:
	vfree(all);
	kfree(workers);
}

const struct test_case stress_cases[] = {
	{ "stress", run_stress, "[MS]", { 2000 } },
	{ }
};
