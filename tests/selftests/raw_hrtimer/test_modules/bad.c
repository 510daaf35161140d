// SPDX-License-Identifier: GPL-2.0
/*
 * What a caller must not pass, and a clock that cannot be followed.
 */
#include <linux/delay.h>
#include <linux/timekeeping.h>

#include "test.h"

static struct shot shot;

/* HRTIMER_MODE_REL is taken for its absolute counterpart.  args: 1 for a node. */
static void run_wrong_mode(const u64 *args)
{
	ktime_t now;

	shot_init(&shot, args[0], HRTIMER_MODE_ABS);
	now = ktime_get();
	check(shot_start(&shot, rdtsc_ordered() + us_to_cycles(20000), HRTIMER_MODE_REL),
	      "wrong_mode: armed");
	/* A relative expiry would have been added to the time since boot. */
	check(hrtimer_get_expires(&shot.timer) < now + (now >> 1) + NSEC_PER_SEC / 10,
	      "wrong_mode: armed as an absolute one");
	report("uptime_ns: %lld", now);
	check_shot(&shot, "wrong_mode");
}

/* A timer on another clock keeps the expiry that it has.  args: 1 for a node. */
static void run_wrong_clock(const u64 *args)
{
	bool is_node = args[0];
	ktime_t plain, fired;

	shot_init(&shot, is_node, HRTIMER_MODE_ABS);
	hrtimer_setup(&shot.timer, ACCESS_PRIVATE(&shot.timer, function), CLOCK_REALTIME,
		      HRTIMER_MODE_ABS);
	plain = ktime_get_real() + 20 * NSEC_PER_MSEC;
	hrtimer_set_expires(&shot.timer, plain);

	/* The past, so that the callback goes on whenever it is called. */
	if (shot_start(&shot, 1, HRTIMER_MODE_ABS) == is_node) {
		check(false, "wrong_clock: a node is refused, a plain timer armed");
		shot_cancel(&shot);
		return;
	}
	check(hrtimer_get_expires(&shot.timer) == plain, "wrong_clock: the expiry is unchanged");
	if (is_node) {
		check(!hrtimer_is_queued(&shot.timer), "wrong_clock: nothing was armed");
		return;
	}
	if (!shot_wait(&shot)) {
		check(false, "wrong_clock: fires");
		return;
	}
	fired = ktime_get_real();
	check(fired >= plain, "wrong_clock: fires at the expiry that it had");
	check(shot.calls == 1, "wrong_clock: fires once");
}

/* Nothing to arm: nothing done. */
static void run_null(const u64 *args)
{
	raw_hrtimer_start(NULL, 0, HRTIMER_MODE_ABS);
	check(!raw_hrtimer_restart(NULL, U64_MAX), "null: a callback without a timer goes on");
	check(!raw_hrtimer_node_start(NULL, HRTIMER_MODE_ABS), "null: no node is refused");
	check(!raw_hrtimer_node_restart(NULL), "null: no node is not restarted");
	raw_hrtimer_node_cancel(NULL);
	raw_hrtimer_node_remove(NULL);
	check(raw_hrtimer_expiry(0, NULL) == -EINVAL, "null: no room for an expiry is an error");
	raw_hrtimer_get_rate(NULL);
}

/* Without the TSC as clocksource the plain expiry is used. */
static void run_plain(const u64 *args)
{
	ktime_t plain, expiry;

	check(raw_hrtimer_expiry(rdtsc(), &expiry) == -EOPNOTSUPP, "plain: no expiry is given");

	shot_init(&shot, true, HRTIMER_MODE_ABS);
	hrtimer_set_expires(&shot.timer, plain = ktime_get() + NSEC_PER_SEC);
	check(!shot_start(&shot, rdtsc_ordered() + us_to_cycles(10000), HRTIMER_MODE_ABS),
	      "plain: a node is refused");
	check(!hrtimer_is_queued(&shot.timer) && hrtimer_get_expires(&shot.timer) == plain,
	      "plain: and nothing was done to its timer");
	raw_hrtimer_node_remove(&shot.tt);

	/* The deadline is still far when the plain expiry comes, and has no say. */
	shot_init(&shot, false, HRTIMER_MODE_ABS);
	plain = ktime_get() + 20 * NSEC_PER_MSEC;
	hrtimer_set_expires(&shot.timer, plain);
	shot_start(&shot, rdtsc_ordered() + us_to_cycles(60 * USEC_PER_SEC), HRTIMER_MODE_ABS);
	check(hrtimer_get_expires(&shot.timer) == plain, "plain: armed unchanged");
	if (!wait_for_completion_timeout(&shot.done, 10 * HZ)) {
		shot_cancel(&shot);
		check(false, "plain: fires");
		return;
	}
	check(ktime_get() >= plain, "plain: fires at the plain expiry");
	shot_cancel(&shot);
	check(shot.calls == 1, "plain: fires once");
}

const struct test_case bad_cases[] = {
	{ "wrong_mode", run_wrong_mode, "[NODE]" },
	{ "wrong_clock", run_wrong_clock, "[NODE]" },
	{ "null", run_null, "" },
	{ "plain", run_plain, "" },
	{ }
};
