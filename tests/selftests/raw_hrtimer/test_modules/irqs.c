// SPDX-License-Identifier: GPL-2.0
/*
 * When this CPU's timer interrupts came: by the tracepoint at their entry, found
 * by its name, since it is not exported.
 */
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "test.h"

#define STAMPS 64

static struct tracepoint *entry;
static u64 stamps[STAMPS];
static unsigned int stamped;
static int watched = -1;

static void on_entry(void *data, int vector)
{
	if (raw_smp_processor_id() == watched)
		stamps[stamped++ % STAMPS] = rdtsc();
}

static void find_entry(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "local_timer_entry"))
		entry = tp;
}

/* Returns false if they cannot be watched. */
bool irqs_watch(int cpu)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return false;
	for_each_kernel_tracepoint(find_entry, NULL);
	watched = cpu;
	return entry && !tracepoint_probe_register(entry, on_entry, NULL);
}

void irqs_unwatch(void)
{
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;
	tracepoint_probe_unregister(entry, on_entry, NULL);
	tracepoint_synchronize_unregister();
	watched = -1;
}

/* How many of the last STAMPS came between the two. */
unsigned int irqs_between(u64 from, u64 to)
{
	unsigned int found = 0;

	for (int i = 0; i < STAMPS; i++)
		found += stamps[i] >= from && stamps[i] <= to;
	return found;
}

/* How many came since the module was loaded, while they were watched. */
unsigned int irqs_seen(void)
{
	return READ_ONCE(stamped);
}
