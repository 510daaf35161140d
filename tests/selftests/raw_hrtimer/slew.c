// SPDX-License-Identifier: GPL-2.0
/*
 * How the rate of CLOCK_MONOTONIC changes: writes it down while somebody else
 * changes it, or does it again, in the same way each time.
 *
 * A line for each change: seconds of CLOCK_MONOTONIC_RAW since the start, tick
 * (microseconds) and frequency (2^-16 ppm) as in adjtimex(2).  "#" begins a
 * comment.  What was replayed is reported after the command has ended, so that
 * it is not disturbed; the exit status is the command's.
 */
#include <x86intrin.h>

#include "bend.h"

#define POLL_US		5000
#define MAX_CHANGES	65536

static struct change {
	double at;
	long tick, freq;
} changes[MAX_CHANGES];

/* Cycles that the system calls took, of as many as there is room for. */
static unsigned long long took[65536];
static unsigned int calls, length;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void change_to(const struct change *to)
{
	unsigned long long begin = __rdtsc();

	bend(to->tick, to->freq);
	took[calls++ % ARRAY_SIZE(took)] = __rdtsc() - begin;
}

/* Sleeps count the clock that is bent: come near, and then look again. */
static bool sleep_until(double at)
{
	double left;

	/* Once even if it is late already: the command may have ended. */
	do {
		left = at - now();
		rest(left > 1e-3 ? left * 0.8 : left > 0 ? left : 0);
	} while (!is_over && left > 0);
	return !is_over;
}

static int record(double seconds)
{
	double start = now();
	struct change last = { };

	while (now() - start < seconds) {
		struct timex timex = { };

		if (adjtimex(&timex) < 0)
			ksft_exit_fail_msg("adjtimex: %s\n", strerror(errno));
		if (timex.tick != last.tick || timex.freq != last.freq) {
			last.tick = timex.tick;
			last.freq = timex.freq;
			printf("%.3f %ld %ld\n", now() - start, last.tick, last.freq);
			fflush(stdout);
		}
		usleep(POLL_US);
	}
	printf("%.3f %ld %ld\n", seconds, last.tick, last.freq);
	return KSFT_PASS;
}

static void read_changes(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	char line[256];

	if (!file)
		ksft_exit_fail_msg("%s: %s\n", name, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		struct change *change = &changes[length];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (length == MAX_CHANGES ||
		    sscanf(line, "%lf %ld %ld", &change->at, &change->tick, &change->freq) != 3 ||
		    (length && change->at < change[-1].at))
			ksft_exit_fail_msg("%s: cannot use %s", name, line);
		length++;
	}
	if (length < 2)
		ksft_exit_fail_msg("%s: no changes\n", name);
	fclose(file);
}

static int compare(const void *a, const void *b)
{
	unsigned long long x = *(unsigned long long *)a, y = *(unsigned long long *)b;

	return x < y ? -1 : x > y;
}

static int replay(char **argv, bool loop)
{
	unsigned int n;
	double begin;
	int status;

	read_changes(argv[0]);
	begin_bending();
	start(argv + 1, 0);
	begin = now();
	do {
		for (n = 0; n < length && sleep_until(begin + changes[n].at); n++)
			change_to(&changes[n]);
		begin += changes[length - 1].at;
	} while (loop && !is_over);
	rest_to_the_end();
	status = status_of_child();

	n = calls < ARRAY_SIZE(took) ? calls : ARRAY_SIZE(took);
	qsort(took, n, sizeof(took[0]), compare);
	if (n)
		printf("# slew: %u changes, adjtimex min %llu median %llu p99 %llu max %llu cycles\n",
		       calls, took[0], took[n / 2], took[n * 99ull / 100], took[n - 1]);
	return status;
}

int main(int argc, char **argv)
{
	bool loop = argc > 2 && !strcmp(argv[2], "--loop");

	if (argc == 3 && !strcmp(argv[1], "record"))
		return record(atof(argv[2]));
	if (argc >= 4 + loop && !strcmp(argv[1], "replay"))
		return replay(argv + 2 + loop, loop);
	fprintf(stderr, "usage: %s record SECONDS\n"
		"       %s replay [--loop] FILE COMMAND [ARGUMENT...]\n", argv[0], argv[0]);
	return KSFT_FAIL;
}
