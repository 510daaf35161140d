// SPDX-License-Identifier: GPL-2.0
/*
 * Arming a plain hrtimer: raw_hrtimer_start() and raw_hrtimer_restart().
 */
#include <linux/delay.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include "test.h"

/* Cases run one at a time. */
static struct shot shot;

static const enum hrtimer_mode modes[] = {
	HRTIMER_MODE_ABS,
	HRTIMER_MODE_ABS_PINNED,
	HRTIMER_MODE_ABS_SOFT,
	HRTIMER_MODE_ABS_HARD,
	HRTIMER_MODE_ABS_PINNED_HARD,
};

/*
 * Until the callback has been early once, only the expiry keeps it from being
 * so.  The clock may be read one unit of mult faster before long: dither.  On
 * kernels where no clockevent counts the TSC, the last microsecond is waited for.
 * Where the clockevent does not and the clock is fast, a timer is started for an
 * expiry that the clock reaches before the deadline.
 */
static bool first_was_early(const struct shot *shot, u64 distance,
			    const struct raw_hrtimer_rate *rate)
{
	u64 allowed = distance / rate->mono_mult + 1;

	if (rate->mono_mult > rate->raw_mult && !coupled)
		return false;
	if (!IS_ENABLED(CONFIG_GENERIC_CLOCKEVENTS_COUPLED))
		allowed += us_to_cycles(2);
	return shot->first + allowed < shot->deadline;
}

/* args: microseconds, how often, 1 for a node, with each mode. */
static void run_deadline(const u64 *args)
{
	unsigned int lost = 0, early = 0, first_early = 0, twice = 0, calls = 0, runs = 0, bent = 0;
	u64 distance = us_to_cycles(args[0]);
	u64 least = U64_MAX, most = 0;
	struct raw_hrtimer_rate rate, again;

	for (int m = 0; m < ARRAY_SIZE(modes); m++) {
		shot_init(&shot, args[2], modes[m]);
		for (u64 i = 0; i < args[1]; i++) {
			raw_hrtimer_get_rate(&rate);
			shot_start(&shot, rdtsc_ordered() + distance, modes[m]);
			if (!shot_wait(&shot)) {
				lost++;
				continue;
			}
			raw_hrtimer_get_rate(&again);
			runs++;
			calls += shot.calls;
			twice += shot.fires != 1;
			if (abs_diff(rate.mono_mult, again.mono_mult) > 1)
				bent++;
			else
				first_early += first_was_early(&shot, distance, &rate);
			if (shot.fired < shot.deadline) {
				early++;
				continue;
			}
			least = min(least, shot_late(&shot));
			most = max(most, shot_late(&shot));
		}
	}
	check(!lost, "deadline in %llu us: fires, %u did not", args[0], lost);
	check(!early, "deadline in %llu us: not early, %u of %u are", args[0], early, runs);
	check(!first_early, "deadline in %llu us: armed for it, %u of %u before it", args[0],
	      first_early, runs);
	check(!twice, "deadline in %llu us: fires once, %u did not", args[0], twice);
	report("late_least: %llu", least);
	report("late: %llu", most);
	report("calls: %u", calls);
	report("runs: %u", runs);
	report("rate_bent_meanwhile: %u", bent);
	if (max_late)
		check(most <= max_late, "deadline in %llu us: at most %lu cycles late", args[0],
		      max_late);
}

static enum hrtimer_restart behind_fn(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

/*
 * Behind an event that the clockevent was programmed for long before, and by now is not
 * programmed for anew: where it does not count the TSC and the clock is fast, that event comes
 * later than the clock reaches it.  args: how often, 1 for a node.
 */
static void run_behind(const u64 *args)
{
	unsigned int early = 0, lost = 0;
	struct hrtimer event;
	u64 most = 0;

	shot_init(&shot, args[1], HRTIMER_MODE_ABS_PINNED);
	hrtimer_setup_on_stack(&event, behind_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED);
	for (u64 i = 0; i < args[0]; i++) {
		/* So the tick does not program it either, unless it is due in this time. */
		local_irq_disable();
		hrtimer_start(&event, us_to_ktime(3000), HRTIMER_MODE_REL_PINNED);
		udelay(2000);
		shot_start(&shot, rdtsc_ordered() + us_to_cycles(900), HRTIMER_MODE_ABS_PINNED);
		local_irq_enable();
		lost += !shot_wait(&shot);
		hrtimer_cancel(&event);
		if (shot.fired < shot.deadline)
			early++;
		else
			most = max(most, shot_late(&shot));
	}
	destroy_hrtimer_on_stack(&event);
	check(!lost, "behind an event: fires, %u did not", lost);
	check(!early, "behind an event: not early, %u are", early);
	report("late: %llu", most);
	if (max_late)
		check(most <= max_late, "behind an event: %llu cycles late, %lu allowed", most,
		      max_late);
}

/* Deadlines that have passed, a moment ago and for ever. args: 1 for a node. */
static void run_past(const u64 *args)
{
	const u64 ago[] = { 1, us_to_cycles(1000), us_to_cycles(500000), rdtsc() - 1, U64_MAX };

	shot_init(&shot, args[0], HRTIMER_MODE_ABS);
	for (int i = 0; i < ARRAY_SIZE(ago); i++) {
		u64 now = rdtsc_ordered();
		u64 deadline = ago[i] < now ? now - ago[i] : 0;

		shot_start(&shot, deadline, HRTIMER_MODE_ABS);
		if (!shot_wait(&shot)) {
			check(false, "past: deadline %llu fires", deadline);
			continue;
		}
		check(shot.calls == 1, "past: %llu cycles ago fires at the first call",
		      now - deadline);
		report("after_arming: %llu", shot.fired - now);
		if (max_late)
			check(shot.fired - now <= max_late, "past: fires at once");
	}
}

/* Far ahead, as far as there is: pending, and can be cancelled. args: 1 for a node. */
static void run_far(const u64 *args)
{
	const u64 deadlines[] = { rdtsc() + (1ULL << 50), 1ULL << 63, U64_MAX - 1, U64_MAX };

	shot_init(&shot, args[0], HRTIMER_MODE_ABS);
	for (int i = 0; i < ARRAY_SIZE(deadlines); i++) {
		u64 distance = deadlines[i] - rdtsc_ordered();
		struct raw_hrtimer_rate rate;
		ktime_t now, expires, want;
		u64 ns;

		raw_hrtimer_get_rate(&rate);
		ns = mul_u64_u32_shr(distance, rate.mono_mult, rate.shift);
		/* The shift drops what a u64 cannot hold. */
		if (mul_u64_u32_shr(distance, rate.mono_mult, 32) >> (63 - 32 + rate.shift))
			ns = KTIME_MAX;
		now = ktime_get();
		want = ns > KTIME_MAX - now ? KTIME_MAX : now + ns;

		shot_start(&shot, deadlines[i], HRTIMER_MODE_ABS);
		expires = hrtimer_get_expires(&shot.timer);
		msleep(20);
		check(!shot.calls, "far: deadline %#llx has not fired", deadlines[i]);
		/* Read some 100 ms apart, and at rates that differ by dither. */
		check(abs_diff(expires, want) < NSEC_PER_SEC + want / rate.mono_mult * 2,
		      "far: deadline %#llx expires at %lld, about %lld", deadlines[i], expires, want);
		check(shot_cancel(&shot), "far: deadline %#llx could be cancelled", deadlines[i]);
		report("saturated: %d", expires == KTIME_MAX);
	}
}

/*
 * A timer armed half-way is early, once: the callback moves it to the deadline.
 * Dither may ask for another move, so it is tried until the rate stood still.
 */
static void run_restart(const u64 *args)
{
	u64 distance = us_to_cycles(args[0]);

	shot_init(&shot, args[1], HRTIMER_MODE_ABS);
	for (int i = 0; i < 100; i++) {
		struct raw_hrtimer_rate rate, again;
		u64 now = rdtsc_ordered();
		ktime_t half;

		raw_hrtimer_get_rate(&rate);
		shot_start(&shot, now + distance, HRTIMER_MODE_ABS);
		raw_hrtimer_expiry(now + distance / 2, &half);
		hrtimer_start(&shot.timer, half, HRTIMER_MODE_ABS);
		if (!shot_wait(&shot)) {
			check(false, "restart: fires");
			return;
		}
		raw_hrtimer_get_rate(&again);
		if (shot.fired < shot.deadline) {
			check(false, "restart: not early");
			return;
		}
		if (rate.generation != again.generation)
			continue;
		/* An emulator may stop for longer than the half. */
		if (shot.first >= shot.deadline)
			continue;
		check(shot.calls == 2, "restart: moved once, %u calls", shot.calls);
		report("late: %llu", shot_late(&shot));
		if (max_late)
			check(shot_late(&shot) <= max_late, "restart: not late");
		return;
	}
	check(false, "restart: the rate never stood still, or the machine never ran");
}

const struct test_case arm_cases[] = {
	{ "deadline", run_deadline, "[US] [TIMES] [NODE]", { 1000, 10 } },
	{ "behind", run_behind, "[TIMES] [NODE]", { 20 } },
	{ "past", run_past, "[NODE]" },
	{ "far", run_far, "[NODE]" },
	{ "restart", run_restart, "[US] [NODE]", { 2000 } },
	{ }
};
