// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the rate of the clock again and again, by a schedule that its seed
 * gives: the frequency, and the tick too, within what the kernel allows.  On
 * SIGTERM it sets the clock back to nominal and says how many changes there were.
 *
 * usage: bender SEED INTERVAL_US [MAX_TICK], which is 1000 microseconds more or
 * less than 10 ms if it is not given, and 0 for changes of the frequency alone
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

#define NOMINAL_TICK	10000
#define MAX_TICK	1000			/* more or less than nominal */
#define MAX_FREQ	(500 << 16)		/* 500 ppm */

/* xorshift64, by Marsaglia */
static int random_within(uint64_t *state, int limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (int)(*state % (2u * limit + 1)) - limit;
}

static int set_rate(int tick, int freq)
{
	struct timex timex = {
		.modes	= ADJ_TICK | ADJ_FREQUENCY,
		.tick	= NOMINAL_TICK + tick,
		.freq	= freq,
	};

	return adjtimex(&timex);
}

int main(int argc, char **argv)
{
	uint64_t state = argc > 2 ? strtoull(argv[1], NULL, 0) : 0;
	long interval = argc > 2 ? atol(argv[2]) : 0;
	long max_tick = argc > 3 ? atol(argv[3]) : MAX_TICK;
	struct timespec pause = { interval / 1000000, interval % 1000000 * 1000 };
	long changes = 0;
	sigset_t signals;

	if (!state || interval <= 0 || max_tick < 0 || max_tick > MAX_TICK) {
		fprintf(stderr, "usage: %s SEED INTERVAL_US [MAX_TICK]\n", argv[0]);
		return 2;
	}
	/* Taken while it waits, not otherwise: there is no handler. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);

	do {
		int tick = random_within(&state, max_tick);
		int freq = random_within(&state, MAX_FREQ);

		/* A few ppm now and then, as well as percents. */
		if (random_within(&state, 2) == 0)
			tick = 0;
		if (set_rate(tick, freq) < 0) {
			perror("adjtimex");
			return 1;
		}
		changes++;
	} while (sigtimedwait(&signals, NULL, &pause) < 0);

	if (set_rate(0, 0) < 0) {
		perror("adjtimex");
		return 1;
	}
	printf("changes: %ld\n", changes);
	return 0;
}
