/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far off the TSC's the rate of CLOCK_MONOTONIC is.
 *
 * KVM emulates timers that count the TSC with hrtimers, which count CLOCK_MONOTONIC,
 * and NTP adjusts the rate of that: such a timer is early or late by as much.  A test
 * that is not about this allows for it, i.e. passes on a host whose clock is
 * synchronized.
 */
#ifndef SELFTEST_KVM_TIMER_SKEW_H
#define SELFTEST_KVM_TIMER_SKEW_H

#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "test_util.h"

/* Shorter than this, reading the clocks takes too much of the time between. */
#define TIMER_SKEW_MIN_NS	10000000ll

struct timer_skew {
	s64 mono, raw;		/* at the start, in ns */
	u64 ppm;
};

static inline s64 timer_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/* What adjtimex() has set, rounded up. */
static inline u64 timer_skew_set_ppm(void)
{
	long tick = 1000000 / sysconf(_SC_CLK_TCK);
	struct timex timex = { };

	TEST_ASSERT(adjtimex(&timex) >= 0, "adjtimex() failed");
	return labs(timex.tick - tick) * 1000000 / tick + labs(timex.freq) / 65536 + 1;
}

static inline void timer_skew_start(struct timer_skew *skew)
{
	skew->ppm = timer_skew_set_ppm();
	skew->mono = timer_clock_ns(CLOCK_MONOTONIC);
	skew->raw = timer_clock_ns(CLOCK_MONOTONIC_RAW);
}

/* The most since the start, as far as that can be told, in ppm. */
static inline u64 timer_skew_ppm(const struct timer_skew *skew)
{
	s64 mono = timer_clock_ns(CLOCK_MONOTONIC) - skew->mono;
	s64 raw = timer_clock_ns(CLOCK_MONOTONIC_RAW) - skew->raw;
	u64 ppm = max(skew->ppm, timer_skew_set_ppm());

	if (raw < TIMER_SKEW_MIN_NS)
		return ppm;
	return max(ppm, (u64)llabs(mono - raw) * 1000000 / raw + 1);
}

#endif /* SELFTEST_KVM_TIMER_SKEW_H */
