// SPDX-License-Identifier: GPL-2.0
/*
 * Many nodes on all CPUs: some cancelled from another CPU, the others each
 * fire once.
 */
#include <linux/delay.h>
#include <linux/prandom.h>
#include <linux/vmalloc.h>

#include "test.h"

#define CANCEL_EVERY 4

static struct shot *shots;
static u64 span;

static void start_share(void *info)
{
	const struct share *share = info;
	u64 now = rdtsc_ordered();
	struct rnd_state rnd;

	prandom_seed_state(&rnd, share->first + 1);
	for (unsigned int i = share->first; i < nodes; i += share->stride) {
		u64 ahead = span / 8 + ((u64)prandom_u32_state(&rnd) * span >> 32);

		shot_start(&shots[i], now + ahead, HRTIMER_MODE_ABS_PINNED);
	}
}

/* Returns how many were still pending. */
static unsigned int cancel_some(void)
{
	unsigned int cancelled = 0;

	for (unsigned int i = 0; i < nodes; i += CANCEL_EVERY) {
		cancelled += shot_cancel(&shots[i]);
		cond_resched();
	}
	return cancelled;
}

static void judge(unsigned int cancelled)
{
	unsigned int early = 0, twice = 0, fired = 0, linked = 0, calls = 0;
	u64 late = 0;

	for (unsigned int i = 0; i < nodes; i++) {
		struct shot *shot = &shots[i];

		calls += shot->calls;
		linked += shot->tt.cpu >= 0 || !list_empty(&shot->tt.node);
		twice += shot->fires > 1;
		if (!shot->fires)
			continue;
		fired++;
		if (shot->fired < shot->deadline)
			early++;
		else
			late = max(late, shot_late(shot));
	}
	check(!early, "many: not early, %u are", early);
	check(!twice, "many: none fires twice, %u do", twice);
	check(fired + cancelled == nodes, "many: %u fired and %u cancelled are all %u", fired,
	      cancelled, nodes);
	check(!linked, "many: none is left on a list, %u are", linked);
	report("late: %llu", late);
	report("calls: %u", calls);
	report("fired: %u", fired);
	report("cancelled: %u", cancelled);
}

static void run_many(const u64 *args)
{
	unsigned int cancelled;

	shots = shots_alloc("many", nodes, HRTIMER_MODE_ABS_PINNED);
	if (!shots)
		return;
	span = us_to_cycles(args[0] * USEC_PER_MSEC);
	shots_share_out(start_share, UINT_MAX);
	cancelled = cancel_some();
	for (unsigned int i = 0; i < nodes; i++)
		if (i % CANCEL_EVERY)
			shot_wait(&shots[i]);
	judge(cancelled);
	vfree(shots);
}

const struct test_case many_cases[] = {
	{ "many", run_many, "[MS]", { 200 } },
	{ }
};
