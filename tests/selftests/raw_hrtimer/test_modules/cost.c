// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs, in TSC cycles: on the vmx machine of scripts/vm, instructions.
 * The least of many rounds, less what measuring itself takes.
 */
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "test.h"

#define ROUNDS 1000

static struct shot shot;
static u64 far;
static ktime_t far_expiry;

/* As KVM does for a guest timer: the clock, a division, and the arming. */
static ktime_t plain_expiry(void)
{
	u64 ns = far * 1000000;

	do_div(ns, tsc_khz);
	return ktime_add_ns(ktime_get(), ns);
}

static void arm_plain(void)
{
	hrtimer_start(&shot.timer, plain_expiry(), HRTIMER_MODE_ABS_PINNED);
}

/* And the arming alone, of a timer that is not queued, as in all of these. */
static void set_expiry(void)
{
	hrtimer_set_expires(&shot.timer, plain_expiry());
}

static void start_only(void)
{
	hrtimer_start(&shot.timer, hrtimer_get_expires(&shot.timer), HRTIMER_MODE_ABS_PINNED);
}

/*
 * A timer that is nobody's in a module, as most are: nanosleep()'s.  On the
 * stack, as there is no function for others.
 */
static struct hrtimer_sleeper *sleeper;

static void arm_sleeper(void)
{
	hrtimer_start(&sleeper->timer, far_expiry, HRTIMER_MODE_ABS);
}

static void cancel_sleeper(void)
{
	hrtimer_cancel(&sleeper->timer);
}

static void try_to_cancel_sleeper(void)
{
	hrtimer_try_to_cancel(&sleeper->timer);
}

static void arm_raw(void)
{
	raw_hrtimer_start(&shot.timer, shot.deadline, HRTIMER_MODE_ABS_PINNED);
}

static void arm_node(void)
{
	raw_hrtimer_node_start(&shot.tt, HRTIMER_MODE_ABS_PINNED);
}

static void convert(void)
{
	ktime_t expiry;

	raw_hrtimer_expiry(shot.deadline, &expiry);
}

/* A deadline that is reached: what each callback that is not early takes. */
static void restart(void)
{
	raw_hrtimer_restart(&shot.timer, 1);
}

static void cancel_node(void)
{
	raw_hrtimer_node_cancel(&shot.tt);
}

static void nothing(void)
{
}

static u64 least(void (*before)(void), void (*what)(void), bool cancel)
{
	u64 least = U64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned long flags;
		u64 begin, end;

		shot.deadline = rdtsc() + far;
		shot.tt.deadline = shot.deadline;
		local_irq_save(flags);
		before();
		begin = rdtsc_ordered();
		what();
		end = rdtsc_ordered();
		local_irq_restore(flags);
		least = min(least, end - begin);
		if (cancel) {
			raw_hrtimer_node_cancel(&shot.tt);
			hrtimer_cancel(&shot.timer);
			hrtimer_cancel(&sleeper->timer);
		}
	}
	return least;
}

static void run_cost(const u64 *args)
{
	struct hrtimer_sleeper on_stack;
	u64 empty, plain, start, node;

	far = us_to_cycles(args[0]);
	shot_init(&shot, true, HRTIMER_MODE_ABS_PINNED);
	sleeper = &on_stack;
	hrtimer_setup_sleeper_on_stack(sleeper, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	far_expiry = ktime_add_us(ktime_get(), 2 * args[0]);
	empty = least(nothing, nothing, false);

	report("expiry: %llu", least(nothing, convert, false) - empty);
	report("restart: %llu", least(nothing, restart, false) - empty);
	start = least(set_expiry, start_only, true) - empty;
	plain = least(nothing, arm_plain, true) - empty;
	report("hrtimer_start: %llu", start);
	report("arm_plain: %llu", plain);
	/* Moved to where it is: what a place among other timers costs is theirs to say. */
	report("sleeper: %llu", least(arm_sleeper, arm_sleeper, true) - empty);
	report("sleeper_cancel: %llu", least(arm_sleeper, cancel_sleeper, true) - empty);
	report("sleeper_try_to_cancel: %llu",
	       least(arm_sleeper, try_to_cancel_sleeper, true) - empty);
	report("arm_raw: %llu", least(nothing, arm_raw, true) - empty);
	node = least(nothing, arm_node, true) - empty;
	report("arm_node: %llu", node);
	report("cancel_node: %llu", least(arm_node, cancel_node, true) - empty);
	raw_hrtimer_node_remove(&shot.tt);
	destroy_hrtimer_on_stack(&sleeper->timer);
	check(empty && start && plain && node, "cost: each of them takes time");
}

const struct test_case cost_cases[] = {
	{ "cost", run_cost, "distance in us", { 1000000 } },
	{ }
};
