// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU event counters: one instruction where they count, a sum where they
 * are read.
 */
#include <linux/percpu.h>

#include "shim.h"

static DEFINE_PER_CPU(u64 [RHT_COUNTERS], rht_counters);

void rht_count(enum rht_counter counter)
{
	this_cpu_inc(rht_counters[counter]);
}

u64 rht_counter_sum(enum rht_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(rht_counters, cpu)[counter]);
	return sum;
}
