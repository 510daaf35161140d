// SPDX-License-Identifier: GPL-2.0
/*
 * One timer with a TSC deadline, by the plain functions or by a node; and many.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/vmalloc.h>

#include "test.h"

/* Emulators share their processor with others: this long after it is not lost. */
#define PATIENCE (20 * HZ)

#define SHOTS_MAX 65536

static enum hrtimer_restart shot_fn(struct hrtimer *timer)
{
	struct shot *shot = container_of(timer, struct shot, timer);
	u64 now = rdtsc_ordered();
	ktime_t expiry;

	if (!shot->calls++)
		shot->first = now;

	if (shot->is_node ? raw_hrtimer_node_restart(&shot->tt) :
			    raw_hrtimer_restart(timer, shot->deadline))
		return HRTIMER_RESTART;

	shot->fired = rdtsc_ordered();
	shot->as_plain = raw_hrtimer_expiry(shot->deadline, &expiry);
	shot->fires++;
	complete(&shot->done);
	return HRTIMER_NORESTART;
}

void shot_init(struct shot *shot, bool is_node, enum hrtimer_mode mode)
{
	memset(shot, 0, sizeof(*shot));
	init_completion(&shot->done);
	hrtimer_setup(&shot->timer, shot_fn, CLOCK_MONOTONIC, mode);
	tsc_timer_setup(&shot->tt, &shot->timer);
	shot->is_node = is_node;
}

/* Returns false if it was not armed. */
bool shot_start(struct shot *shot, u64 deadline, enum hrtimer_mode mode)
{
	shot->deadline = deadline;
	shot->first = 0;
	shot->fired = 0;
	shot->calls = 0;
	shot->fires = 0;
	reinit_completion(&shot->done);

	if (shot->is_node) {
		shot->tt.deadline = deadline;
		return raw_hrtimer_node_start(&shot->tt, mode);
	}
	raw_hrtimer_start(&shot->timer, deadline, mode);
	return true;
}

/* Returns false, with the timer cancelled, if it has not fired by far. */
bool shot_wait(struct shot *shot)
{
	u64 now = rdtsc_ordered();
	u64 ahead = shot->deadline > now ? shot->deadline - now : 0;

	bool fired = wait_for_completion_timeout(&shot->done, cycles_to_wait(ahead) + PATIENCE);

	/* Also waits for a callback that has said so, and is yet to return. */
	shot_cancel(shot);
	return fired;
}

/* Returns true if it was still to fire.  A node is on no list any more. */
bool shot_cancel(struct shot *shot)
{
	if (shot->is_node)
		raw_hrtimer_node_remove(&shot->tt);
	return hrtimer_cancel(&shot->timer) == 1;
}

/* The same, and a node may still be on a list. */
bool shot_cancel_only(struct shot *shot)
{
	if (shot->is_node)
		raw_hrtimer_node_cancel(&shot->tt);
	return hrtimer_cancel(&shot->timer) == 1;
}

u64 shot_late(const struct shot *shot)
{
	return shot->fired - shot->deadline;
}

/* Waits for it, then: not early, once, not too late where that is known. */
void check_shot(struct shot *shot, const char *what)
{
	if (!shot_wait(shot)) {
		check(false, "%s: fires", what);
		return;
	}
	check(shot->fired >= shot->deadline, "%s: not early", what);
	check(shot->fires == 1, "%s: fires once", what);
	report("early: %llu", shot->fired < shot->deadline ? shot->deadline - shot->fired : 0);
	report("late: %llu", shot->fired < shot->deadline ? 0 : shot_late(shot));
	report("calls: %u", shot->calls);
	if (max_late && shot->fired >= shot->deadline)
		check(shot_late(shot) <= max_late, "%s: %llu cycles late, %lu allowed", what,
		      shot_late(shot), max_late);
}

/* So many nodes, for vfree(), or NULL, which has failed the case. */
struct shot *shots_alloc(const char *what, u64 n, enum hrtimer_mode mode)
{
	struct shot *shots;

	if (!n || n > SHOTS_MAX) {
		check(false, "%s: 1 to %u nodes", what, SHOTS_MAX);
		return NULL;
	}
	shots = vcalloc(n, sizeof(*shots));
	if (!shots) {
		check(false, "%s: memory for %llu nodes", what, n);
		return NULL;
	}
	for (unsigned int i = 0; i < n; i++)
		shot_init(&shots[i], true, mode);
	return shots;
}

/*
 * Has each of so many CPUs, or of all if there are less, start its share, a
 * struct share, one after the other.  Returns how many there were.
 */
unsigned int shots_share_out(smp_call_func_t start, unsigned int cpus)
{
	struct share share = { };
	unsigned int cpu;

	cpus_read_lock();
	share.stride = min(cpus, num_online_cpus());
	for_each_online_cpu(cpu) {
		if (share.first < share.stride)
			smp_call_function_single(cpu, start, &share, 1);
		share.first++;
	}
	cpus_read_unlock();
	return share.stride;
}
