// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody else's timer, as cyclictest has it: a real-time thread sleeps until
 * a time of CLOCK_MONOTONIC, again and again, and reports by how much it woke
 * late.  Pinned to a CPU, it suffers from what the CPU does with interrupts off.
 *
 * usage: bystander CPU INTERVAL_US SECONDS
 */
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define NS_PER_S	1000000000ll
#define MAX_SAMPLES	2000000

static uint32_t samples[MAX_SAMPLES];

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int become_real_time(int cpu)
{
	struct sched_param param = { .sched_priority = 90 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ||
	       sched_setscheduler(0, SCHED_FIFO, &param) ||
	       mlockall(MCL_CURRENT | MCL_FUTURE);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	int64_t interval, next, end;
	long n = 0, early = 0;

	if (argc != 4 || atol(argv[2]) <= 0) {
		fprintf(stderr, "usage: %s CPU INTERVAL_US SECONDS\n", argv[0]);
		return 2;
	}
	interval = atol(argv[2]) * 1000;
	memset(samples, 1, sizeof(samples));	/* no page fault later */
	if (become_real_time(atoi(argv[1]))) {
		perror(argv[0]);
		return 1;
	}

	next = now_ns() + interval;
	end = next + atol(argv[3]) * NS_PER_S;
	while (next < end && n < MAX_SAMPLES) {
		struct timespec until = { next / NS_PER_S, next % NS_PER_S };
		int64_t late;

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
			;
		late = now_ns() - next;
		if (late < 0)
			early++;
		samples[n++] = late < 0 ? 0 : late > UINT32_MAX ? UINT32_MAX : late;
		next += interval;
		/* What was slept through is not slept through once more. */
		if (late > interval)
			next += late / interval * interval;
	}

	qsort(samples, n, sizeof(samples[0]), compare);
	printf("samples: %ld\nearly: %ld\nmedian_ns: %u\np99_ns: %u\np999_ns: %u\nmax_ns: %u\n",
	       n, early, samples[n / 2], samples[n - 1 - n / 100], samples[n - 1 - n / 1000],
	       samples[n - 1]);
	return early ? 1 : 0;
}
