// SPDX-License-Identifier: GPL-2.0
/*
 * One node: raw_hrtimer_node_start(), _restart(), _cancel() and _remove().
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "test.h"

static struct shot shot;

/* On no list any more, whichever way it ended. */
static void check_forgotten(const char *what)
{
	check(shot.tt.cpu < 0 && list_empty(&shot.tt.node), "%s: is on no list", what);
}

static void check_listed(const char *what)
{
	check(shot.tt.cpu >= 0 && !list_empty(&shot.tt.node), "%s: is on a list", what);
}

static void run_node_cancel(const u64 *args)
{
	shot_init(&shot, true, HRTIMER_MODE_ABS);
	raw_hrtimer_node_cancel(&shot.tt);
	raw_hrtimer_node_remove(&shot.tt);
	check_forgotten("node_cancel: never started");

	for (int i = 0; i < 2; i++) {
		shot_start(&shot, rdtsc_ordered() + us_to_cycles(200000), HRTIMER_MODE_ABS);
		check_listed("node_cancel: started");
		check(shot_cancel_only(&shot), "node_cancel: was pending");
		check_listed("node_cancel: cancelled");
	}
	msleep(300);
	check(!shot.calls, "node_cancel: does not fire");

	raw_hrtimer_node_cancel(&shot.tt);
	check_listed("node_cancel: cancelled twice");
	for (int i = 0; i < 2; i++) {
		raw_hrtimer_node_remove(&shot.tt);
		check_forgotten(i ? "node_cancel: removed twice" : "node_cancel: removed");
	}

	shot_start(&shot, rdtsc_ordered() + us_to_cycles(1000), HRTIMER_MODE_ABS);
	check_shot(&shot, "node_cancel: started again");
	check_forgotten("node_cancel: fired");
}

/*
 * Expired, and not cancelled: it can be started again, and a change of the rate
 * takes it off the list.  args: milliseconds that the script has for that.
 */
static void run_node_expired(const u64 *args)
{
	shot_init(&shot, true, HRTIMER_MODE_ABS);
	for (int i = 0; i < 2; i++) {
		shot_start(&shot, rdtsc_ordered() + us_to_cycles(1000), HRTIMER_MODE_ABS);
		if (!wait_for_completion_timeout(&shot.done, 20 * HZ)) {
			check(false, "node_expired: fires");
			break;
		}
		/* Only waits for the callback. */
		hrtimer_cancel(&shot.timer);
		check(shot.fired >= shot.deadline && shot.fires == 1,
		      "node_expired: fires once, not early%s", i ? ", again" : "");
	}
	for (u64 ms = 0; ms < args[0] && READ_ONCE(shot.tt.cpu) >= 0; ms += 20)
		msleep(20);
	check_forgotten("node_expired: the rate has changed");
	shot_cancel(&shot);
	check_forgotten("node_expired: cancelled");
}

/* Started again while pending, for a later deadline and for an earlier one. */
static void run_node_move(const u64 *args)
{
	static const u64 to[] = { 200000, 20000 };

	for (int i = 0; i < ARRAY_SIZE(to); i++) {
		shot_init(&shot, true, HRTIMER_MODE_ABS);
		shot_start(&shot, rdtsc_ordered() + us_to_cycles(100000), HRTIMER_MODE_ABS);
		/* The deadline is written while the timer does not run. */
		hrtimer_try_to_cancel(&shot.timer);
		shot_start(&shot, rdtsc_ordered() + us_to_cycles(to[i]), HRTIMER_MODE_ABS);
		check_shot(&shot, i ? "node_move: earlier" : "node_move: later");
		check_forgotten("node_move");
	}
}

static void start_here(void *deadline)
{
	shot_start(&shot, *(u64 *)deadline, HRTIMER_MODE_ABS_PINNED);
}

/* Started on one CPU and cancelled, or waited for, on another. */
static void run_node_cross(const u64 *args)
{
	int here, there;
	u64 deadline;

	cpus_read_lock();
	here = get_cpu();
	there = cpumask_any_but(cpu_online_mask, here);
	put_cpu();
	if (there >= nr_cpu_ids) {
		cpus_read_unlock();
		report("skip: one CPU");
		return;
	}
	shot_init(&shot, true, HRTIMER_MODE_ABS_PINNED);

	deadline = rdtsc_ordered() + us_to_cycles(10 * USEC_PER_SEC);
	smp_call_function_single(there, start_here, &deadline, 1);
	check(shot.tt.cpu == there, "node_cross: is on the list of the CPU that started it");
	check(shot_cancel(&shot), "node_cross: cancelled from another CPU");
	check_forgotten("node_cross: cancelled");

	deadline = rdtsc_ordered() + us_to_cycles(50000);
	smp_call_function_single(there, start_here, &deadline, 1);
	check_shot(&shot, "node_cross: started there");
	check_forgotten("node_cross: fired");

	/* From one list to the other. */
	deadline = rdtsc_ordered() + us_to_cycles(10 * USEC_PER_SEC);
	smp_call_function_single(there, start_here, &deadline, 1);
	hrtimer_try_to_cancel(&shot.timer);
	deadline = rdtsc_ordered() + us_to_cycles(50000);
	smp_call_function_single(here, start_here, &deadline, 1);
	check(shot.fires || shot.tt.cpu == here, "node_cross: moved to the other CPU's list");
	check_shot(&shot, "node_cross: moved");
	check_forgotten("node_cross: moved and fired");
	cpus_read_unlock();
}

/*
 * A timer that is pending while the script bends the clock.  args: milliseconds,
 * 1 for a node, otherwise a plain timer: that is not looked after while it is
 * pending, and late when the clock slows down; 1 for one that any CPU may have.
 */
static void run_pending(const u64 *args)
{
	enum hrtimer_mode mode = args[2] ? HRTIMER_MODE_ABS : HRTIMER_MODE_ABS_PINNED;

	shot_init(&shot, args[1], mode);
	shot_start(&shot, rdtsc_ordered() + us_to_cycles(args[0] * USEC_PER_MSEC), mode);
	check_shot(&shot, "pending");
	report("deadline_distance: %llu", us_to_cycles(args[0] * USEC_PER_MSEC));
}

/*
 * Many that have expired on this CPU, and are not cancelled.  args: milliseconds that
 * the script has to slow the clock down.
 */
static void run_expired(const u64 *args)
{
	struct shot *shots = shots_alloc("expired", nodes, HRTIMER_MODE_ABS_PINNED);
	unsigned int lost = 0, left = 0;

	if (!shots)
		return;
	for (unsigned int i = 0; i < nodes; i++)
		shot_start(&shots[i], rdtsc_ordered() + us_to_cycles(1000),
			   HRTIMER_MODE_ABS_PINNED);
	for (unsigned int i = 0; i < nodes; i++) {
		lost += !wait_for_completion_timeout(&shots[i].done, 20 * HZ);
		/* Only waits for the callback. */
		hrtimer_cancel(&shots[i].timer);
	}
	msleep(args[0]);
	for (unsigned int i = 0; i < nodes; i++) {
		left += READ_ONCE(shots[i].tt.cpu) >= 0;
		shot_cancel(&shots[i]);
	}
	check(!lost, "expired: all fire, %u did not", lost);
	check(!left, "expired: a change of the rate takes them off the list, but for %u", left);
	vfree(shots);
}

const struct test_case node_cases[] = {
	{ "node_cancel", run_node_cancel, "" },
	{ "node_move", run_node_move, "" },
	{ "node_expired", run_node_expired, "[MS]", { 20000 } },
	{ "node_cross", run_node_cross, "" },
	{ "pending", run_pending, "[MS] [NODE] [ANY_CPU]", { 1000, 1 } },
	{ "expired", run_expired, "[MS]", { 4000 } },
	{ }
};
