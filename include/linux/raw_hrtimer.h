/* SPDX-License-Identifier: GPL-2.0 */
/*
 * raw_hrtimer: hrtimers that expire when the TSC says so.
 */
#ifndef _LINUX_RAW_HRTIMER_H
#define _LINUX_RAW_HRTIMER_H

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/tsc_timer.h>
#include <linux/types.h>

/**
 * struct raw_hrtimer_rate - the rate of CLOCK_MONOTONIC, as the kernel reads it
 * @mono_mult:	CLOCK_MONOTONIC: ns = cycles * @mono_mult >> @shift
 *		(&struct tk_read_base, tkr_mono.mult)
 * @raw_mult:	CLOCK_MONOTONIC_RAW: ns = cycles * @raw_mult >> @shift
 *		(&struct tk_read_base, tkr_raw.mult)
 * @shift:	of both, 0 to 32
 * @generation:	counts the snapshots published; two equal values mean the same
 *		snapshot
 * @skew_ppb:	how much faster CLOCK_MONOTONIC runs than CLOCK_MONOTONIC_RAW,
 *		in parts per 10^9, rounded towards zero
 * @tsc:	true if the clocksource is the TSC; if false nothing can be
 *		compensated and the other fields describe another clocksource
 */
struct raw_hrtimer_rate {
	u32	mono_mult;
	u32	raw_mult;
	u32	shift;
	bool	tsc;
	u64	generation;
	s64	skew_ppb;
};

void raw_hrtimer_start(struct hrtimer *timer, u64 tsc_deadline,
		       enum hrtimer_mode mode);
bool raw_hrtimer_finish(struct hrtimer *timer, u64 tsc_deadline);
int raw_hrtimer_expiry(u64 tsc_deadline, ktime_t *expiry);
ktime_t raw_hrtimer_scale(ktime_t raw_delta);
void raw_hrtimer_get_rate(struct raw_hrtimer_rate *rate);

bool raw_hrtimer_node_start(struct tsc_timer *tt, enum hrtimer_mode mode);
bool raw_hrtimer_node_restart(struct tsc_timer *tt);
void raw_hrtimer_node_cancel(struct tsc_timer *tt);

#endif /* _LINUX_RAW_HRTIMER_H */
