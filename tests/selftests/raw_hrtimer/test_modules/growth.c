// SPDX-License-Identifier: GPL-2.0
/*
 * A number of nodes, spread over a number of CPUs, that stay pending for as
 * long as the script changes the rate; then each fires, once, not early.  And
 * no time is lost meanwhile: the clocks and the ticks agree with the TSC.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "test.h"

/* Cycles between the deadlines of two nodes of a CPU, so as not to measure a queue. */
#define APART_US 50

static struct shot *shots;
static u64 all_pending_until;

static void start_share(void *info)
{
	const struct share *share = info;
	u64 deadline = all_pending_until;

	for (unsigned int i = share->first; i < nodes; i += share->stride) {
		deadline += us_to_cycles(APART_US);
		shot_start(&shots[i], deadline, HRTIMER_MODE_ABS_PINNED);
	}
}

struct clocks {
	u64 tsc, jiffies;
	ktime_t mono, raw;
};

/* All at one time: of some readings the one that took least. */
static struct clocks read_clocks(void)
{
	struct clocks best = { };
	u64 least = U64_MAX;

	for (int i = 0; i < 20; i++) {
		u64 begin = rdtsc_ordered(), took;
		struct clocks now = { begin, get_jiffies_64(), ktime_get(), ktime_get_raw() };

		took = rdtsc_ordered() - begin;
		if (took < least) {
			least = took;
			best = now;
		}
	}
	return best;
}

/* The rate of one is bent by 500 ppm at most; the ticks are as old as the last one. */
static void judge_clocks(const struct clocks *begin, const struct clocks *end)
{
	s64 tsc = mul_u64_u64_div_u64(end->tsc - begin->tsc, USEC_PER_SEC, tsc_khz);
	s64 raw = ktime_sub(end->raw, begin->raw);
	s64 mono = ktime_sub(end->mono, begin->mono);
	s64 ticks = jiffies64_to_nsecs(end->jiffies - begin->jiffies);

	check(abs(raw - tsc) < raw / 100000 + NSEC_PER_MSEC,
	      "growth: CLOCK_MONOTONIC_RAW went on for %lld ns, the TSC for %lld", raw, tsc);
	check(abs(mono - raw) < raw / 1000 + NSEC_PER_MSEC,
	      "growth: CLOCK_MONOTONIC for %lld ns", mono);
	check(abs(ticks - mono) <= 50 * NSEC_PER_MSEC, "growth: the ticks for %lld ns", ticks);
}

/* args: milliseconds, CPUs */
static void run_growth(const u64 *args)
{
	unsigned int early = 0, lost = 0, twice = 0, cpus;
	struct clocks begin, end;
	u64 late = 0, calls = 0;

	if (!args[1]) {
		check(false, "growth: 1 CPU or more");
		return;
	}
	shots = shots_alloc("growth", nodes, HRTIMER_MODE_ABS_PINNED);
	if (!shots)
		return;

	begin = read_clocks();
	all_pending_until = rdtsc_ordered() + us_to_cycles(args[0] * USEC_PER_MSEC);
	cpus = shots_share_out(start_share, args[1]);
	for (unsigned int i = 0; i < nodes; i++) {
		struct shot *shot = &shots[i];

		if (!shot_wait(shot)) {
			lost++;
			continue;
		}
		calls += shot->calls;
		twice += shot->fires != 1;
		if (shot->fired < shot->deadline)
			early++;
		else
			late = max(late, shot_late(shot));
	}
	end = read_clocks();

	check(!early, "growth: %u of %u nodes on %u CPUs are early", early, nodes, cpus);
	check(!lost, "growth: %u are lost", lost);
	check(!twice, "growth: %u do not fire once", twice);
	judge_clocks(&begin, &end);
	report("late: %llu", late);
	report("calls: %llu", calls);
	vfree(shots);
}

const struct test_case growth_cases[] = {
	{ "growth", run_growth, "[MS] [CPUS]", { 1000, 1 } },
	{ }
};
