// SPDX-License-Identifier: GPL-2.0
/*
 * A real-time task that slows the clock down and does not let go of its CPU: a
 * pending timer's re-arming must not wait for it, as any thread would.
 *
 * usage: busy_slowdown TICK
 *
 * Sets the tick (as for adjtimex), is busy for a while, and prints how many timers
 * were re-armed meanwhile.  Exit status: 4 if it may not be a real-time task.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

#define COUNTERS "/sys/kernel/debug/raw_hrtimer/counters"
#define BUSY_NS 200000000LL

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The counter of timers that were re-armed. */
static long count_rearms(void)
{
	FILE *file = fopen(COUNTERS, "r");
	char line[100];
	long value = -1;

	if (!file) {
		perror(COUNTERS);
		exit(1);
	}
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "rearms: %ld", &value) == 1)
			break;
	fclose(file);
	return value;
}

int main(int argc, char **argv)
{
	struct sched_param priority = { .sched_priority = 50 };
	struct timex change = { .modes = ADJ_TICK };
	long long end;
	cpu_set_t here;
	long before;

	if (argc != 2) {
		fprintf(stderr, "usage: %s TICK\n", argv[0]);
		return 2;
	}
	change.tick = atol(argv[1]);

	/* The pass over the timers begins on the CPU that bends the clock. */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) ||
	    sched_setscheduler(0, SCHED_FIFO, &priority)) {
		perror("real-time priority");
		return 4;
	}
	before = count_rearms();
	if (adjtimex(&change) < 0) {
		perror("adjtimex");
		return 1;
	}
	end = now_ns() + BUSY_NS;
	while (now_ns() < end)
		;
	printf("%ld\n", count_rearms() - before);
	return 0;
}
