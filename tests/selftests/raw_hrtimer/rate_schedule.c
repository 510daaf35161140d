// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command while the rate of CLOCK_MONOTONIC follows a schedule, which
 * without one is until SIGTERM:
 *
 *   0, +500ppm, -500ppm, +10%, -10%	constant, from before the command on
 *   up, down	steps, one in each timer that the command has pending, found by the
 *		counters of raw_hrtimer; the timers are --distance apart
 *   random	another rate every few milliseconds or each --interval, by --seed; the
 *		tick up to --max-tick off, which is 0 for changes of frequency alone
 *   jumps	the same every 11 to 70 ms
 *   offset	what the kernel makes of an offset that it is to slew: another rate in
 *		each second, up to 8.75 % off; the other way every 3 s or --interval
 *
 * Says what it did as comments, after the command has ended, so that it does not
 * disturb it.  Exits with the command's status, or with 1 if the schedule was not
 * kept, and leaves the clock at its nominal rate.
 */
#include <getopt.h>
#include <math.h>
#include <sys/utsname.h>

#include "bend.h"

#define DEBUGFS		"/sys/kernel/debug/raw_hrtimer/"
#define TOLERANCE_PPM	1.0		/* a unit of mult is up to 0.46 ppm */
#define SETTLED_S	2		/* a frequency takes up to so long */

#define OFFSET_NS	350000000

#define STEPS		5		/* of up and down, each in another timer */
#define STEP_TICKS	(2 * MAX_TICK_OFF / STEPS)

/* Of the distance: how often to look, when to step, and when to look again. */
#define LOOK		0.02
#define STEP_AT		0.3
#define REST		0.75

struct schedule {
	const char *name;
	int tick, freq;			/* at first */
	int step;			/* of tick */
	int least, most;		/* ms from one rate to the next, at random */
	/* What to do beside the command, to its end; false if the schedule was not kept. */
	bool (*follow)(const struct schedule *schedule);
};

static unsigned int seed;
static int max_tick = MAX_TICK_OFF;
static double interval;			/* seconds; 0: various */
static double distance = 0.1;		/* seconds */

/* What is behind "NAME: " in one of the module's files, as a number, or else NAN. */
static double number(const char *file, const char *name)
{
	size_t length = strlen(name);
	double found = NAN;
	char line[256];
	FILE *stream;

	stream = fopen(file, "r");
	if (!stream)
		return NAN;
	while (isnan(found) && fgets(line, sizeof(line), stream))
		if (!strncmp(line, name, length) && line[length] == ':')
			found = atof(line + length + 1);
	fclose(stream);
	return found;
}

static double counter(const char *name)
{
	return number(DEBUGFS "counters", name);
}

/* Until the module sees the rate, or for as long as it takes if it is not there. */
static void bend_and_settle(int tick, int freq)
{
	double want = (tick - NOMINAL_TICK) * 100.0 + freq / 65536.0, got;
	int tries;

	bend(tick, freq);
	for (tries = 0; tries < 20 * SETTLED_S; tries++) {
		usleep(50000);
		got = number(DEBUGFS "rate", "mono/raw");
		if (fabs(got - want) <= TOLERANCE_PPM) {
			ksft_print_msg("CLOCK_MONOTONIC runs at %+.3f ppm\n", got);
			return;
		}
	}
	if (!isnan(got))
		ksft_exit_fail_msg("CLOCK_MONOTONIC runs at %+.3f instead of %+.3f ppm\n",
				   got, want);
}

/*
 * A step hits if the timer that was the last to start before it still is
 * afterwards.  Under load some may miss.
 */
static bool follow_steps(const struct schedule *schedule)
{
	double restarts = counter("restarts"), rearms = counter("rearms");
	double starts, armed = counter("starts");
	int tick = schedule->tick, steps = 0, hits = 0;

	while (steps < STEPS && rest(distance * LOOK)) {
		starts = counter("starts");
		if (starts == armed)
			continue;
		armed = starts;
		if (!rest(distance * STEP_AT))
			break;
		starts = counter("starts");
		tick += schedule->step;
		bend(tick, 0);
		steps++;
		hits += starts == armed && counter("starts") == armed;
		armed = starts;
		rest(distance * REST);
	}
	/* No look any more: it would hold up a guest whose timer expires meanwhile. */
	rest_to_the_end();
	restarts = counter("restarts") - restarts;
	rearms = counter("rearms") - rearms;
	ksft_print_msg("%d steps of %d ticks, %d in a pending timer; %.0f restarts, %.0f rearms\n",
		       steps, schedule->step, hits, restarts, rearms);

	/*
	 * The module has to re-arm then.  After a speed-up it has nothing to do, where the
	 * interrupt was set for a TSC value and no other one comes between the expiry, which
	 * is early now, and the deadline.
	 */
	return hits && (schedule->step > 0 || rearms > 0);
}

static bool follow_random(const struct schedule *schedule)
{
	int changes = 0, tick, freq, pause;

	srandom(seed);
	do {
		tick = random() % (2 * max_tick + 1) - max_tick;
		freq = random() % (2 * MAX_FREQ + 1) - MAX_FREQ;
		/* A few ppm now and then, as well as percents. */
		if (random() % 5 == 0)
			tick = 0;
		bend(NOMINAL_TICK + tick, freq);
		changes++;
		pause = schedule->least + random() % (schedule->most - schedule->least + 1);
	} while (rest(interval ?: pause / 1e3));
	ksft_print_msg("seed %u, %d changes\n", seed, changes);
	return true;
}

/* In the first second the kernel slews a quarter of it (kernel/time/ntp.c, SHIFT_PLL). */
static void slew_offset(long ns)
{
	struct timex timex = {
		.modes = ADJ_OFFSET | ADJ_STATUS | ADJ_TIMECONST | ADJ_NANO,
		.status = STA_PLL,
		.offset = ns,
	};

	if (adjtimex(&timex) < 0)
		ksft_exit_fail_msg("adjtimex: %s\n", strerror(errno));
}

static void stop_slewing(void)
{
	struct timex timex = { .modes = ADJ_STATUS | ADJ_MICRO, .status = STA_UNSYNC };

	slew_offset(0);
	adjtimex(&timex);
}

static bool follow_offset(const struct schedule *schedule)
{
	long ns = OFFSET_NS;
	int slews = 0;

	/* Before what atexit() was given first: the frequency, which this changes, too. */
	atexit(stop_slewing);
	do {
		slew_offset(ns);
		ns = -ns;
		slews++;
	} while (rest(interval ?: 3));
	ksft_print_msg("%d slews\n", slews);
	return true;
}

static bool follow_none(const struct schedule *schedule)
{
	rest_to_the_end();
	return true;
}

static const struct schedule schedules[] = {
	{ "0", NOMINAL_TICK, .follow = follow_none },
	{ "+500ppm", NOMINAL_TICK, MAX_FREQ, .follow = follow_none },
	{ "-500ppm", NOMINAL_TICK, -MAX_FREQ, .follow = follow_none },
	{ "+10%", NOMINAL_TICK + MAX_TICK_OFF, .follow = follow_none },
	{ "-10%", NOMINAL_TICK - MAX_TICK_OFF, .follow = follow_none },
	{ "up", NOMINAL_TICK - MAX_TICK_OFF, .step = STEP_TICKS, .follow = follow_steps },
	{ "down", NOMINAL_TICK + MAX_TICK_OFF, .step = -STEP_TICKS, .follow = follow_steps },
	/* About as often as chronyd could ever think of, and more. */
	{ "random", NOMINAL_TICK, .least = 1, .most = 64, .follow = follow_random },
	{ "jumps", NOMINAL_TICK, .least = 11, .most = 70, .follow = follow_random },
	{ "offset", NOMINAL_TICK, .follow = follow_offset },
};

static void help(const char *name)
{
	unsigned int i;

	fprintf(stderr, "usage: %s [--seed N] [--interval US] [--max-tick US] [--distance US]\n"
		"       SCHEDULE [COMMAND [ARGUMENT...]]\nschedules:", name);
	for (i = 0; i < ARRAY_SIZE(schedules); i++)
		fprintf(stderr, " %s", schedules[i].name);
	fprintf(stderr, "\n");
	exit(KSFT_FAIL);
}

/*
 * Of the command.  Under PREEMPT_RT a callback may be for a thread of priority 1,
 * which a command of that priority that spins would never let run.
 */
static int priority(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT") ? 0 : 1;
}

static int run(const struct schedule *schedule, char **argv)
{
	int status = 0;
	bool kept;

	if (argv[0])
		bend_and_settle(schedule->tick, schedule->freq);
	else
		bend(schedule->tick, schedule->freq);
	if (schedule->step && isnan(counter("starts"))) {
		ksft_print_msg("schedule %s needs raw_hrtimer\n", schedule->name);
		return KSFT_SKIP;
	}

	if (argv[0])
		start(argv, priority());
	kept = schedule->follow(schedule);
	if (child)
		status = status_of_child();
	if (!kept)
		ksft_print_msg("schedule %s was not kept\n", schedule->name);
	return status ?: kept ? KSFT_PASS : KSFT_FAIL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "interval", required_argument, NULL, 'i' },
		{ "max-tick", required_argument, NULL, 't' },
		{ "distance", required_argument, NULL, 'd' },
		{ }
	};
	unsigned int i;
	int opt;

	seed = time(NULL);
	/* "+" stops at the schedule: what follows is the command's. */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (opt == 'i' && atoi(optarg) > 0)
			interval = atoi(optarg) / 1e6;
		else if (opt == 't' && (unsigned int)atoi(optarg) <= MAX_TICK_OFF)
			max_tick = atoi(optarg);
		else if (opt == 'd' && atoi(optarg) > 0)
			distance = atoi(optarg) / 1e6;
		else
			help(argv[0]);
	}
	if (argc == optind)
		help(argv[0]);

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < ARRAY_SIZE(schedules); i++) {
		if (!strcmp(argv[optind], schedules[i].name)) {
			begin_bending();
			return run(&schedules[i], argv + optind + 1);
		}
	}
	help(argv[0]);
}
