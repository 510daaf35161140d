// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU event counters: one instruction where they count, a sum where they
 * are read.
 */
#include <linux/percpu.h>

#include "shim.h"

DEFINE_PER_CPU(u64 [RHT_COUNTERS], rht_counters);

u64 rht_counter_sum(enum rht_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(rht_counters, cpu)[counter]);
	return sum;
}
