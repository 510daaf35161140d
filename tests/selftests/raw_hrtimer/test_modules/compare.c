// SPDX-License-Identifier: GPL-2.0
/*
 * A node beside a plain hrtimer of the same expiry, in turn: how late each is,
 * and how many callbacks and interrupts it takes.  Interrupts are counted in
 * rounds of their own, because that takes time: those that came so short before
 * the callback that nobody else's timer is a likely cause.  Nodes held pending
 * while a script bends the clock.
 */
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "test.h"

#define TIMES_MAX 10000
#define NEAR_US 20
#define STEP_US 211
#define JIFFY_US (USEC_PER_SEC / HZ)

struct series {
	const char *name;
	s64 *late;
	u64 early, calls, irqs, fired;
};

static struct shot shot;

static enum hrtimer_restart plain_fn(struct hrtimer *timer)
{
	struct shot *plain = container_of(timer, struct shot, timer);

	plain->calls++;
	plain->fired = rdtsc_ordered();
	complete(&plain->done);
	return HRTIMER_NORESTART;
}

static void start_plain(u64 deadline)
{
	ktime_t expiry;

	shot.calls = 0;
	shot.deadline = deadline;
	reinit_completion(&shot.done);
	raw_hrtimer_expiry(deadline, &expiry);
	hrtimer_start(&shot.timer, expiry, HRTIMER_MODE_ABS_PINNED_HARD);
}

static void measure(struct series *series, unsigned int i, u64 distance, bool is_node, u64 phase_us)
{
	u64 now, deadline;

	/* At the same place for both: what comes before is not the same. */
	schedule_timeout_uninterruptible(1);
	udelay(phase_us);
	now = rdtsc_ordered();
	deadline = now + distance;
	if (is_node) {
		shot_init(&shot, true, HRTIMER_MODE_ABS_PINNED_HARD);
		shot_start(&shot, deadline, HRTIMER_MODE_ABS_PINNED_HARD);
	} else {
		shot_init(&shot, false, HRTIMER_MODE_ABS_PINNED_HARD);
		hrtimer_setup(&shot.timer, plain_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
		start_plain(deadline);
	}
	if (!shot_wait(&shot))
		return;
	series->fired++;
	series->calls += shot.calls;
	series->late[i] = shot.fired - deadline;
	series->early += series->late[i] < 0;
	series->irqs += irqs_between(max(now, deadline - us_to_cycles(NEAR_US)), shot.fired);
}

/*
 * A node and a plain timer in turn, so that both meet with the same.  Where all start in one phase
 * of the jiffy, a timer of the kernel's that comes each second, or each two, comes just before each
 * of those that are 1 s ahead, or before each of one kind: to count interrupts the phase varies.
 */
static void measure_both(struct series *series, unsigned int times, u64 distance, u64 step_us)
{
	for (int k = 0; k < 2; k++)
		series[k].early = series[k].calls = series[k].irqs = series[k].fired = 0;
	for (unsigned int i = 0; i < times; i++)
		for (int k = 0; k < 2; k++)
			measure(&series[k], i, distance, k, i * step_us % JIFFY_US);
}

static int compare_late(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static void report_series(struct series *series, unsigned int n)
{
	sort(series->late, n, sizeof(s64), compare_late, NULL);
	report("%s_early: %llu", series->name, series->early);
	report("%s_min: %lld", series->name, series->late[0]);
	report("%s_median: %lld", series->name, series->late[n / 2]);
	report("%s_p99: %lld", series->name, series->late[n * 99 / 100]);
	report("%s_max: %lld", series->name, series->late[n - 1]);
	report("%s_calls: %llu", series->name, series->calls);
}

/* args: microseconds, how often */
static void run_compare(const u64 *args)
{
	struct series series[] = { { "plain" }, { "node" } };
	unsigned int times = args[1];
	u64 distance = us_to_cycles(args[0]);
	s64 *late;

	late = times && times <= TIMES_MAX ? vcalloc(times, 2 * sizeof(*late)) : NULL;
	if (!late) {
		check(false, "compare: memory for 1 to %u times", TIMES_MAX);
		return;
	}
	series[0].late = late;
	series[1].late = late + times;

	migrate_disable();
	/* The first of each is not counted: nothing is in the caches yet. */
	measure_both(series, 1, us_to_cycles(100), 0);
	measure_both(series, times, distance, 0);
	report("times: %u", times);
	for (int k = 0; k < 2; k++) {
		check(series[k].fired == times, "compare: %llu of %u fire", series[k].fired, times);
		report_series(&series[k], times);
	}
	check(!series[1].early, "compare: no node is early, %llu are", series[1].early);

	if (irqs_watch(raw_smp_processor_id())) {
		measure_both(series, times, distance, args[0] < JIFFY_US ? 0 : STEP_US);
		irqs_unwatch();
		for (int k = 0; k < 2; k++)
			report("%s_irqs: %llu", series[k].name, series[k].irqs);
	}
	migrate_enable();
	vfree(late);
}

static struct shot *held;
static unsigned int holding;
static u64 until;

static void hold_share(void *info)
{
	const struct share *share = info;

	for (unsigned int i = share->first; i < holding; i += share->stride)
		shot_start(&held[i], until + i, HRTIMER_MODE_ABS_PINNED_HARD);
}

static void release(void)
{
	for (unsigned int i = 0; i < holding; i++) {
		shot_cancel(&held[i]);
		cond_resched();
	}
	vfree(held);
	held = NULL;
	holding = 0;
}

/* args: how many nodes are pending from now on, on all CPUs; 0 for none any more */
static void run_hold(const u64 *args)
{
	unsigned int pending = 0;

	release();
	if (!args[0]) {
		check(true, "hold: none any more");
		return;
	}
	held = shots_alloc("hold", args[0], HRTIMER_MODE_ABS_PINNED_HARD);
	if (!held)
		return;
	holding = args[0];
	/* An hour: further than any measurement lasts. */
	until = rdtsc_ordered() + us_to_cycles(3600ull * USEC_PER_SEC);
	shots_share_out(hold_share, UINT_MAX);
	for (unsigned int i = 0; i < holding; i++)
		pending += hrtimer_is_queued(&held[i].timer);
	check(pending == holding, "hold: %u of %u are pending", pending, holding);
}

/* The module goes: nothing of it may be pending. */
void compare_exit(void)
{
	release();
}

const struct test_case compare_cases[] = {
	{ "compare", run_compare, "[US] [TIMES]", { 1000, 10 } },
	{ "hold", run_hold, "[NODES]" },
	{ }
};
