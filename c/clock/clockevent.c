// SPDX-License-Identifier: GPL-2.0
/*
 * Detects whether the clockevent that drives hrtimers counts the TSC.  Such a clockevent is
 * programmed with the TSC value at which CLOCK_MONOTONIC reaches an expiry
 * (CLOCK_EVT_FEAT_CLOCKSOURCE_COUPLED); any other one counts nanoseconds of its own, whatever
 * the rate of CLOCK_MONOTONIC is.
 */
#include <linux/cpufeature.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <asm/msr.h>

#include "shim.h"

/* RHT_UNCOUPLED if the clockevent does not count the TSC, else 0. */
u64 rht_uncoupled __read_mostly;

/*
 * A start goes the short way if the kind of the snapshot is above this.  Above all kinds until the
 * first start on the CPU.
 */
DEFINE_PER_CPU(u64, rht_mark) = U64_MAX;

void rht_set_mark(u64 mark)
{
	this_cpu_write(rht_mark, mark);
	/* Set by rht_set_uncoupled() meanwhile, or that sets the mark after this. */
	smp_mb();
	if (READ_ONCE(rht_uncoupled))
		this_cpu_write(rht_mark, RHT_UNCOUPLED);
}

static void rht_set_uncoupled(void)
{
	int cpu;

	WRITE_ONCE(rht_uncoupled, RHT_UNCOUPLED);
	/* Seen by rht_set_mark(), or that has set the mark before this does. */
	smp_mb();
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(rht_mark, cpu), RHT_UNCOUPLED);
}

/*
 * The probe is cancelled long before it would fire.  Its expiry is no further ahead than any
 * clockevent can be programmed for.
 */
#define RHT_PROBE_S	10
#define RHT_PROBES	10
#define RHT_PROBE_US	50

static enum hrtimer_restart rht_probe_fn(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

/*
 * While a timer is pending, the CPU's clockevent is armed.  If that is the TSC-deadline
 * timer, IA32_TSC_DEADLINE has the TSC value that it is armed for.  It is 0 where another
 * clockevent is in use, whatever the processor supports: the local APIC's timer in another
 * mode, or the HPET (nolapic_timer).  It is also 0 between the deadline and the interrupt
 * that arms the timer again, so it is read several times.
 */
static bool rht_tsc_deadline_is_armed(void)
{
	struct hrtimer probe;
	u64 deadline = 0;

	hrtimer_setup_on_stack(&probe, rht_probe_fn, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&probe, ktime_set(RHT_PROBE_S, 0), HRTIMER_MODE_REL_PINNED_HARD);
	for (int i = 0; i < RHT_PROBES && !deadline; i++) {
		if (i)
			udelay(RHT_PROBE_US);
		if (rdmsrq_safe(MSR_IA32_TSC_DEADLINE, &deadline))
			break;
	}
	hrtimer_cancel(&probe);
	destroy_hrtimer_on_stack(&probe);
	return deadline;
}

/* NULL until the CPU has been seen online, and rht_first is set up. */
static DEFINE_PER_CPU(struct hrtimer_cpu_base *, rht_cpu_base);

/* Not on the stack: where that is an interrupt's, DEBUG_OBJECTS does not take it for one. */
static DEFINE_PER_CPU(struct hrtimer, rht_first);

static void rht_set_up_first(void)
{
	struct hrtimer *first;
	unsigned long flags;

	local_irq_save(flags);
	first = this_cpu_ptr(&rht_first);
	hrtimer_setup(first, rht_probe_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	/* It belongs to the CPU that sets it up; the kernel exports no other way to its base. */
	this_cpu_write(rht_cpu_base, first->base->cpu_base);
	local_irq_restore(flags);
}

/*
 * Returns the expiry that this CPU's clockevent is programmed for. KTIME_MAX while hrtimers'
 * interrupt runs, because that programs the clockevent when it ends, and on a CPU that is only
 * coming online. Any context but NMI.
 */
ktime_t rht_event_expiry(void)
{
	struct hrtimer_cpu_base *base = raw_cpu_read(rht_cpu_base);

	return base ? READ_ONCE(base->expires_next) : KTIME_MAX;
}

/*
 * Has the core program this CPU's clockevent anew, and sets the CPU's mark.  A timer that is to
 * expire before all others makes the core program the clockevent, and once more when it is
 * cancelled.  In the hrtimers' interrupt the mark alone is set, because that programs the
 * clockevent when it ends, by a rate that is no older.
 */
void rht_renew_event(u64 mark)
{
	struct hrtimer *first;
	unsigned long flags;
	ktime_t event;

	local_irq_save(flags);
	event = rht_event_expiry();
	if (event != KTIME_MAX) {
		first = this_cpu_ptr(&rht_first);
		hrtimer_start(first, event - 1, HRTIMER_MODE_ABS_PINNED_HARD);
		hrtimer_try_to_cancel(first);
	}
	rht_set_mark(mark);
	local_irq_restore(flags);
}

/*
 * Called on each CPU that is online, and on each that comes online, by a thread of that CPU.
 * One CPU whose clockevent does not count the TSC decides for all CPUs, because that costs the
 * timers of the others a second callback and nothing else.
 */
static int rht_cpu_online(unsigned int cpu)
{
	rht_set_up_first();
	/* A start that came before this may have left a mark without having the event renewed. */
	rht_set_mark(U64_MAX);
	if (READ_ONCE(rht_uncoupled) || rht_tsc_deadline_is_armed())
		return 0;
	pr_info("raw_hrtimer: CPU %u's clockevent does not count the TSC\n", cpu);
	rht_set_uncoupled();
	return 0;
}

static int rht_online_state;

void rht_clockevent_watch(void)
{
	/*
	 * Without ARAT the timer stops in deep idle states, where a broadcast device that
	 * counts nanoseconds replaces it.
	 */
	if (!IS_ENABLED(CONFIG_GENERIC_CLOCKEVENTS_COUPLED) ||
	    !boot_cpu_has(X86_FEATURE_TSC_DEADLINE_TIMER) || !boot_cpu_has(X86_FEATURE_ARAT))
		rht_set_uncoupled();
	rht_online_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "raw_hrtimer:online",
					     rht_cpu_online, NULL);
	if (rht_online_state < 0)
		rht_set_uncoupled();
}

void rht_clockevent_unwatch(void)
{
	if (rht_online_state > 0)
		cpuhp_remove_state_nocalls(rht_online_state);
}
