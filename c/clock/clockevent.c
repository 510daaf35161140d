// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the hrtimers' clockevent counts the TSC: then its event goes with the rate
 * of CLOCK_MONOTONIC (CLOCK_EVT_FEAT_CLOCKSOURCE_COUPLED), else it counts nanoseconds
 * of its own.
 */
#include <linux/cpufeature.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <asm/msr.h>

#include "shim.h"

bool rht_clockevent_counts_tsc __read_mostly;

/* It is never so far ahead that no clockevent is armed for it, and never fires. */
#define RHT_PROBE_S	10
#define RHT_PROBES	10
#define RHT_PROBE_US	50

static enum hrtimer_restart rht_probe_fn(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

/*
 * With a timer pending, the CPU's clockevent is armed.  IA32_TSC_DEADLINE reads as
 * the deadline that it is armed for if it is the TSC-deadline timer; as 0 if it is
 * another one, whatever the processor has: the local APIC's timer in another mode, or
 * the HPET, as with nolapic_timer.  And as 0 from when it expires until its interrupt
 * has armed it again, so look more than once.
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

/*
 * On that CPU, once for those that are online and for each that comes.  One that
 * differs decides for all: taken not to count the TSC, a clockevent that does only
 * makes a timer's callback run twice.
 */
static int rht_cpu_online(unsigned int cpu)
{
	if (!READ_ONCE(rht_clockevent_counts_tsc) || rht_tsc_deadline_is_armed())
		return 0;
	pr_info("raw_hrtimer: CPU %u's clockevent does not count the TSC\n", cpu);
	WRITE_ONCE(rht_clockevent_counts_tsc, false);
	return 0;
}

static int rht_online_state;

void rht_clockevent_watch(void)
{
	/*
	 * Without ARAT the timer stops in deep idle states, and a broadcast device,
	 * which counts nanoseconds, takes over.
	 */
	rht_clockevent_counts_tsc = IS_ENABLED(CONFIG_GENERIC_CLOCKEVENTS_COUPLED) &&
				    boot_cpu_has(X86_FEATURE_TSC_DEADLINE_TIMER) &&
				    boot_cpu_has(X86_FEATURE_ARAT);
	if (!rht_clockevent_counts_tsc)
		return;
	rht_online_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "raw_hrtimer:online",
					     rht_cpu_online, NULL);
	if (rht_online_state < 0)
		rht_clockevent_counts_tsc = false;
}

void rht_clockevent_unwatch(void)
{
	if (rht_online_state > 0)
		cpuhp_remove_state_nocalls(rht_online_state);
}
