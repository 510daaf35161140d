/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For programs that bend CLOCK_MONOTONIC while a command runs: its rate, the
 * command, and waiting for either to change.
 */
#ifndef RAW_HRTIMER_BEND_H
#define RAW_HRTIMER_BEND_H

#include <errno.h>
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

#define NOMINAL_TICK	10000		/* microseconds */
#define MAX_TICK_OFF	1000		/* what the kernel takes: 10 % */
#define MAX_FREQ	(500 << 16)	/* 2^-16 ppm */

/* The command, or 0 if there is none. */
static pid_t child;

static inline void bend(int tick, int freq)
{
	struct timex timex = { .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = tick, .freq = freq };

	if (adjtimex(&timex) < 0)
		ksft_exit_fail_msg("adjtimex: %s\n", strerror(errno));
}

static inline void straighten(void)
{
	bend(NOMINAL_TICK, 0);
}

/* What rest() waits for. */
static sigset_t signals;

/* From now on they are taken there, not otherwise; and the clock is left nominal. */
static inline void begin_bending(void)
{
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	atexit(straighten);
}

/* The command has ended, or a signal has ended it. */
static bool is_over;

/* Wait for so long; false if it is over. */
static inline bool rest(double seconds)
{
	struct timespec time = { seconds, (seconds - (time_t)seconds) * 1e9 };
	int signal;

	if (is_over)
		return false;
	signal = sigtimedwait(&signals, NULL, &time);
	is_over = signal >= 0;
	if (child && (signal == SIGINT || signal == SIGTERM))
		kill(child, signal);
	return !is_over;
}

static inline void rest_to_the_end(void)
{
	while (rest(3600))
		;
}

/* What the clock and the command do must not depend on what else wants to run. */
static inline void set_priority(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		ksft_print_msg("no real-time priority: %s\n", strerror(errno));
}

/* Start the command with its priority, and go on with a higher one. */
static inline void start(char **argv, int priority)
{
	/* Before the command can keep it from running. */
	set_priority(priority + 1);
	fflush(stdout);
	child = fork();
	if (child < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (!child) {
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		set_priority(priority);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
}

static inline int status_of_child(void)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			ksft_exit_fail_msg("waitpid: %s\n", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif /* RAW_HRTIMER_BEND_H */
