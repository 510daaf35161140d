// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command while the rate of CLOCK_MONOTONIC follows a schedule:
 *
 *   0, +500ppm, -500ppm, +10%, -10%	constant, from before the command on
 *   up, down	steps, one in each timer that the command has pending, found by the
 *		counters of raw_hrtimer; the timers are --distance apart
 *   random	another rate every few milliseconds, by --seed
 *
 * Says what it did as comments, after the command has ended, so that it does not
 * disturb it.  Exits with the command's status, or with 1 if the schedule was not
 * kept, and leaves the clock at its nominal rate.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"

#define DEBUGFS		"/sys/kernel/debug/raw_hrtimer/"
#define NOMINAL_TICK	10000
#define MAX_TICK_OFF	1000		/* what the kernel takes: 10 % */
#define MAX_FREQ	(500 << 16)	/* 2^-16 ppm */
#define TOLERANCE_PPM	1.0		/* a unit of mult is up to 0.46 ppm */
#define SETTLED_S	2		/* a frequency takes up to so long */

#define STEPS		5		/* of up and down, each in another timer */
#define STEP_TICKS	(2 * MAX_TICK_OFF / STEPS)

/* Of the distance: how often to look, when to step, and when to look again. */
#define LOOK		0.02
#define STEP_AT		0.3
#define REST		0.75

static const struct schedule {
	const char *name;
	int tick, freq;			/* at first */
	int step;			/* of tick */
	bool random;
} schedules[] = {
	{ "0", NOMINAL_TICK },
	{ "+500ppm", NOMINAL_TICK, MAX_FREQ },
	{ "-500ppm", NOMINAL_TICK, -MAX_FREQ },
	{ "+10%", NOMINAL_TICK + MAX_TICK_OFF },
	{ "-10%", NOMINAL_TICK - MAX_TICK_OFF },
	{ "up", NOMINAL_TICK - MAX_TICK_OFF, .step = STEP_TICKS },
	{ "down", NOMINAL_TICK + MAX_TICK_OFF, .step = -STEP_TICKS },
	{ "random", NOMINAL_TICK, .random = true },
};

static unsigned int seed;
static double distance = 0.1;		/* seconds */
static pid_t child;

static void bend(int tick, int freq)
{
	struct timex timex = { .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = tick, .freq = freq };

	if (adjtimex(&timex) < 0)
		ksft_exit_fail_msg("adjtimex: %s\n", strerror(errno));
}

static void straighten(void)
{
	bend(NOMINAL_TICK, 0);
}

/* What is behind "NAME: " in one of the module's files; false if there is nothing. */
static bool field(const char *file, const char *name, char *value, int size)
{
	size_t length = strlen(name);
	bool found = false;
	FILE *stream;

	stream = fopen(file, "r");
	if (!stream)
		return false;
	while (!found && fgets(value, size, stream)) {
		found = !strncmp(value, name, length) && value[length] == ':';
		if (found)
			memmove(value, value + length + 2, size - length - 2);
	}
	fclose(stream);
	return found;
}

/* The same as a number, or else NAN. */
static double number(const char *file, const char *name)
{
	char value[256];

	return field(file, name, value, sizeof(value)) ? atof(value) : NAN;
}

static double counter(const char *name)
{
	return number(DEBUGFS "counters", name);
}

static bool is_registered(void)
{
	char value[256];

	return field(DEBUGFS "attach", "kvm", value, sizeof(value)) &&
	       !strncmp(value, "registered", 10);
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

/* What the clock and the guest do must not depend on what else wants to run. */
static void set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		ksft_print_msg("no real-time priority: %s\n", strerror(errno));
}

static void start(char **argv)
{
	sigset_t none;

	/* Before the command can keep it from running. */
	set_priority(2);
	fflush(stdout);
	child = fork();
	if (child < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (!child) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		set_priority(1);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
}

/* Wait for so long; false if the command has ended.  A signal ends it. */
static bool rest(double seconds)
{
	struct timespec time = { seconds, (seconds - (time_t)seconds) * 1e9 };
	sigset_t signals;
	int signal;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	signal = sigtimedwait(&signals, NULL, &time);
	if (signal == SIGINT || signal == SIGTERM)
		kill(child, signal);
	return signal < 0;
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

	while (rest(distance * LOOK)) {
		starts = counter("starts");
		if (steps == STEPS || starts == armed)
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
		if (!rest(distance * REST))
			break;
	}
	restarts = counter("restarts") - restarts;
	rearms = counter("rearms") - rearms;
	ksft_print_msg("%d steps of %d ticks, %d in a pending timer; %.0f restarts, %.0f rearms\n",
		       steps, schedule->step, hits, restarts, rearms);

	/* What the module has to do then; one that hooks KVM cannot re-arm. */
	return hits && (schedule->step > 0 ? restarts > 0 : !is_registered() || rearms > 0);
}

static bool follow_random(void)
{
	int changes = 0;

	srandom(seed);
	do {
		bend(NOMINAL_TICK - MAX_TICK_OFF + random() % (2 * MAX_TICK_OFF + 1),
		     random() % (2 * MAX_FREQ + 1) - MAX_FREQ);
		changes++;
		/* 1 to 64 ms, about as often as chronyd could ever think of, and more. */
	} while (rest((1 + random() % 64) / 1e3));
	ksft_print_msg("seed %u, %d changes\n", seed, changes);
	return true;
}

static int status_of_child(void)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			ksft_exit_fail_msg("waitpid: %s\n", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void help(const char *name)
{
	unsigned int i;

	fprintf(stderr, "usage: %s [--seed N] [--distance US] SCHEDULE COMMAND [ARGUMENT...]\n"
		"schedules:", name);
	for (i = 0; i < ARRAY_SIZE(schedules); i++)
		fprintf(stderr, " %s", schedules[i].name);
	fprintf(stderr, "\n");
	exit(KSFT_FAIL);
}

static int run(const struct schedule *schedule, char **argv)
{
	bool kept = true;
	int status;

	bend_and_settle(schedule->tick, schedule->freq);
	if (schedule->step && isnan(counter("starts"))) {
		ksft_print_msg("schedule %s needs raw_hrtimer\n", schedule->name);
		return KSFT_SKIP;
	}

	start(argv);
	if (schedule->random)
		kept = follow_random();
	else if (schedule->step)
		kept = follow_steps(schedule);
	else
		while (rest(3600))
			;
	status = status_of_child();
	if (!kept)
		ksft_print_msg("schedule %s was not kept\n", schedule->name);
	return status ?: kept ? KSFT_PASS : KSFT_FAIL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "distance", required_argument, NULL, 'd' },
		{ }
	};
	sigset_t signals;
	unsigned int i;
	int opt;

	seed = time(NULL);
	/* "+" stops at the schedule: what follows is the command's. */
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (opt == 'd' && atoi(optarg) > 0)
			distance = atoi(optarg) / 1e6;
		else
			help(argv[0]);
	}
	if (argc - optind < 2)
		help(argv[0]);

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	for (i = 0; i < ARRAY_SIZE(schedules); i++) {
		if (!strcmp(argv[optind], schedules[i].name)) {
			atexit(straighten);
			return run(&schedules[i], argv + optind + 1);
		}
	}
	help(argv[0]);
}
