// SPDX-License-Identifier: GPL-2.0
/*
 * A node that is started just after the clock has become faster, for a time just behind the
 * expiry that the clockevent is programmed for.  It is programmed by the rate of before, and
 * so for a TSC value that lies behind the node's deadline.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#if __has_include(<linux/hrtimer_bases.h>)
#include <linux/hrtimer_bases.h>	/* linux/hrtimer.h has it all before 7.3 */
#endif
#include <linux/irq_work.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/pvclock_gtod.h>
#include <linux/timekeeper_internal.h>

#include "test.h"

#define PERIOD_NS	(1000 * NSEC_PER_USEC)
#define BEHIND_NS	(2 * NSEC_PER_USEC)
/* Of an event that is nearer little would show. */
#define LEAST_NS	(300 * NSEC_PER_USEC)
#define ROUNDS		3
#define LOOK_MS		5

/* Of each CPU: a timer each millisecond, so that the event is not far. */
static DEFINE_PER_CPU(struct hrtimer, other);

static struct shot shot;
static struct hrtimer plain;
static u64 plain_late;			/* ns, the most */
static unsigned int nodes_started, plain_started;
static bool is_pending;
static u32 mult, shift;
/* The CPU whose clockevent it is; -1: that of the CPU that has bent the clock. */
static int event_cpu;
static enum hrtimer_mode mode;

static enum hrtimer_restart other_fn(struct hrtimer *timer)
{
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

static void start_other(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&other);

	hrtimer_setup(timer, other_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(timer, PERIOD_NS, HRTIMER_MODE_REL_PINNED_HARD);
}

static enum hrtimer_restart plain_fn(struct hrtimer *timer)
{
	plain_late = max(plain_late, (u64)(ktime_get() - hrtimer_get_expires(timer)));
	WRITE_ONCE(is_pending, false);
	return HRTIMER_NORESTART;
}

/*
 * On the CPU that has bent the clock, as soon as it can be read.  Every other time it starts a
 * plain timer instead, to see how late that is.  It keeps the CPU until then, so that nobody
 * has the clockevent programmed anew.
 */
static void on_speed_up(struct irq_work *work)
{
	int cpu = event_cpu < 0 ? smp_processor_id() : event_cpu;
	struct hrtimer *timer = per_cpu_ptr(&other, cpu);
	u64 event = READ_ONCE(timer->base->cpu_base->expires_next);
	u64 now = ktime_get(), deadline;

	if (event < now + LEAST_NS || event > now + PERIOD_NS || READ_ONCE(is_pending))
		return;
	event += BEHIND_NS;
	deadline = rdtsc_ordered() + div_u64((event - now) << shift, mult);
	WRITE_ONCE(is_pending, true);
	if (nodes_started > plain_started) {
		plain_started++;
		hrtimer_start(&plain, event, mode);
	} else {
		nodes_started++;
		shot_start(&shot, deadline, mode);
	}
	while (rdtsc_ordered() < deadline)
		cpu_relax();
}
static struct irq_work work = IRQ_WORK_INIT_HARD(on_speed_up);

/* After raw_hrtimer's, under the timekeeper's lock. */
static int on_update(struct notifier_block *nb, unsigned long step, void *data)
{
	const struct timekeeper *tk = data;
	u32 before = mult;

	mult = tk->tkr_mono.mult;
	shift = tk->tkr_mono.shift;
	/* By a percent and more. */
	if (before && mult > before + before / 100)
		irq_work_queue(&work);
	return NOTIFY_OK;
}

static struct notifier_block block = { .notifier_call = on_update, .priority = INT_MIN };

/* Waits for the node that was started last. */
static void collect(u64 *latest)
{
	if (!shot_wait(&shot))
		check(false, "faster: the node fires");
	else if (shot.fired < shot.deadline)
		check(false, "faster: the node is not early");
	else
		*latest = max(*latest, shot_late(&shot));
	WRITE_ONCE(is_pending, false);
}

static void watch(u64 ms, u64 *latest)
{
	unsigned int collected = 0;

	if (pvclock_gtod_register_notifier(&block)) {
		check(false, "faster: registered");
		return;
	}
	for (u64 i = 0; i < ms / LOOK_MS; i++) {
		usleep_range(LOOK_MS * USEC_PER_MSEC - 100, LOOK_MS * USEC_PER_MSEC);
		if (READ_ONCE(nodes_started) == collected)
			continue;
		collected++;
		collect(latest);
	}
	pvclock_gtod_unregister_notifier(&block);
	irq_work_sync(&work);
	if (nodes_started != collected)
		collect(latest);
}

static void measure(u64 ms)
{
	u64 latest = 0;
	int cpu;

	shot_init(&shot, true, mode);
	hrtimer_setup(&plain, plain_fn, CLOCK_MONOTONIC, mode);
	plain_late = 0;
	nodes_started = 0;
	plain_started = 0;
	is_pending = false;
	mult = 0;

	cpus_read_lock();
	on_each_cpu(start_other, NULL, true);
	watch(ms, &latest);
	for_each_online_cpu(cpu)
		hrtimer_cancel(per_cpu_ptr(&other, cpu));
	cpus_read_unlock();
	hrtimer_cancel(&plain);

	report("plain: %llu", us_to_cycles(plain_late) / 1000);
	report("late: %llu", latest);
	check(nodes_started >= ROUNDS, "faster: %u nodes started behind an event, %u wanted",
	      nodes_started, ROUNDS);
	if (max_late)
		check(latest <= max_late, "faster: %llu cycles late, %lu allowed", latest, max_late);
}

/* args: milliseconds, during which the script bends the clock */
static void run_faster(const u64 *args)
{
	event_cpu = -1;
	mode = HRTIMER_MODE_ABS_PINNED_HARD;
	measure(args[0]);
}

/* args: the same, and the CPU that a timer which is not pinned goes to */
static void run_faster_elsewhere(const u64 *args)
{
	if (args[1] >= nr_cpu_ids || !cpu_online(args[1])) {
		check(false, "faster_elsewhere: CPU %llu is online", args[1]);
		return;
	}
	event_cpu = args[1];
	mode = HRTIMER_MODE_ABS_HARD;
	measure(args[0]);
}

const struct test_case faster_cases[] = {
	{ "faster", run_faster, "[MS]", { 1000 } },
	{ "faster_elsewhere", run_faster_elsewhere, "[MS [CPU]]", { 1000, 0 } },
	{ }
};
