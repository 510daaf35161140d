// SPDX-License-Identifier: GPL-2.0
/*
 * What the timekeeper's updates cost with raw_hrtimer's listener among them:
 * listeners of our own are called before it and after it, and around one that
 * does nothing, as what is to be taken off.
 */
#include <linux/delay.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>

#include "test.h"

struct took {
	u64 n, least, most;
};

static u64 first, second;
static u64 generation;
static struct took steady, changed;

static int on_first(struct notifier_block *nb, unsigned long step, void *data)
{
	first = rdtsc_ordered();
	return NOTIFY_OK;
}

static int on_nothing(struct notifier_block *nb, unsigned long step, void *data)
{
	return NOTIFY_DONE;
}

static int on_second(struct notifier_block *nb, unsigned long step, void *data)
{
	second = rdtsc_ordered();
	return NOTIFY_OK;
}

/* Under the timekeeper's lock, as the others. */
static int on_last(struct notifier_block *nb, unsigned long step, void *data)
{
	u64 between = second - first, now = rdtsc_ordered();
	struct raw_hrtimer_rate rate;
	struct took *took;
	u64 cycles;

	raw_hrtimer_get_rate(&rate);
	took = rate.generation == generation ? &steady : &changed;
	/* The first one knows of no other before it. */
	if (generation && now - second >= between) {
		cycles = now - second - between;
		took->n++;
		took->least = min(took->least, cycles);
		took->most = max(took->most, cycles);
	}
	generation = rate.generation;
	return NOTIFY_OK;
}

static struct notifier_block blocks[] = {
	{ .notifier_call = on_first, .priority = INT_MAX },
	{ .notifier_call = on_nothing, .priority = INT_MAX - 1 },
	{ .notifier_call = on_second, .priority = INT_MAX - 2 },
	{ .notifier_call = on_last, .priority = INT_MIN },
};

/* args: milliseconds, during which the script may bend the clock */
static void run_listener(const u64 *args)
{
	int n;

	generation = 0;
	steady = changed = (struct took){ .least = U64_MAX };
	for (n = 0; n < ARRAY_SIZE(blocks); n++)
		if (pvclock_gtod_register_notifier(&blocks[n]))
			break;
	check(n == ARRAY_SIZE(blocks), "listener: registered");
	/* Ticks come while somebody is awake. */
	for (u64 i = 0; i < args[0]; i++)
		usleep_range(900, 1000);
	while (n)
		pvclock_gtod_unregister_notifier(&blocks[--n]);

	check(steady.n, "listener: updates that say nothing new were seen");
	report("steady_updates: %llu", steady.n);
	report("steady_least: %llu", steady.least);
	report("steady_most: %llu", steady.most);
	report("changed_updates: %llu", changed.n);
	if (changed.n) {
		report("changed_least: %llu", changed.least);
		report("changed_most: %llu", changed.most);
	}
}

const struct test_case listener_cases[] = {
	{ "listener", run_listener, "[MS]", { 500 } },
	{ }
};
