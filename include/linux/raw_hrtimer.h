/* SPDX-License-Identifier: GPL-2.0 */
/*
 * raw_hrtimer: hrtimers that expire at a TSC value.
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

/**
 * raw_hrtimer_start() - arm an hrtimer for a TSC deadline
 * @timer:		an hrtimer on CLOCK_MONOTONIC; its expiry, as set with
 *			hrtimer_set_expires(), is the plain expiry, used where
 *			@tsc_deadline has none
 * @tsc_deadline:	when it is to expire, in host TSC cycles, 0 to U64_MAX;
 *			one that has passed fires at once, one beyond KTIME_MAX
 *			saturates to it
 * @mode:		as for hrtimer_start(); a deadline is absolute, so
 *			HRTIMER_MODE_REL is ignored, with a warning
 *
 * The expiry is base + (((@tsc_deadline - cycle_last) * mult + xtime_nsec)
 * >> shift), rounded up: what timekeeping_cycles_to_ns() in
 * kernel/time/timekeeping.c will return at the deadline if the rate stays.
 * Where the clock runs fast and the clockevent does not count the TSC, the
 * expiry is the nominal distance from now, which is earlier.  So the callback
 * has to call raw_hrtimer_restart().  A timer that has to keep up with a clock
 * that slows down while it is pending wants raw_hrtimer_node_start().
 *
 * The plain expiry is used while the clocksource is not the TSC (counted as
 * "plain" in debugfs), and for a timer on another clock (with a warning).
 *
 * Some machines restart the TSC while they are suspended to RAM or hibernated.
 * A deadline of before means nothing after it; to correct it is the owner's, as
 * KVM corrects its guests' TSC.
 *
 * Context: any but NMI, with interrupts on or off.  Does not sleep, allocate or
 * divide.
 */
void raw_hrtimer_start(struct hrtimer *timer, u64 tsc_deadline,
		       enum hrtimer_mode mode);

/**
 * raw_hrtimer_restart() - restart a timer whose callback runs early
 * @timer:		the hrtimer whose callback this is
 * @tsc_deadline:	what it was started for
 *
 * Context: @timer's callback, before anything else.
 * Return: true if the TSC has not reached @tsc_deadline: @timer has been given the expiry
 * that raw_hrtimer_start() would give it now, and the callback returns HRTIMER_RESTART at
 * once.  False if the deadline is reached, by this CPU's TSC or, where that one lags
 * behind, the timekeeper's; or if that is not known, because the clocksource is no longer
 * the TSC.
 */
bool raw_hrtimer_restart(struct hrtimer *timer, u64 tsc_deadline);

/**
 * raw_hrtimer_expiry() - convert a TSC deadline to an expiry
 * @tsc_deadline:	host TSC cycles
 * @expiry:		where to put the CLOCK_MONOTONIC time, in ns: the earliest
 *			at which the TSC has reached @tsc_deadline, by less than
 *			1 ns, if the rate stays; some time in the past if it has
 *			passed; KTIME_MAX if it is beyond that
 *
 * Context: any.
 * Return: 0, -EOPNOTSUPP unless the clocksource is the TSC, -EINVAL for NULL.
 */
int raw_hrtimer_expiry(u64 tsc_deadline, ktime_t *expiry);

/**
 * raw_hrtimer_get_rate() - get the rate of CLOCK_MONOTONIC
 * @rate:	where to put it; all zero before the first update
 *
 * Context: any.  Divides.
 */
void raw_hrtimer_get_rate(struct raw_hrtimer_rate *rate);

/**
 * raw_hrtimer_node_start() - arm a timer and keep up with the rate
 * @tt:		the timer, with its deadline set, initialised by tsc_timer_setup()
 * @mode:	as for raw_hrtimer_start()
 *
 * As raw_hrtimer_start(), but @tt is kept on a list of pending timers, and gets
 * a new expiry when the clock slows down before it has expired.  It stays on
 * that list when it has expired or was cancelled: @tt and its hrtimer stay valid
 * until raw_hrtimer_node_remove() has returned.
 *
 * Context: any but NMI.  One operation on @tt at a time, so not in its callback
 * where another context may cancel it meanwhile.
 * Return: true if the timer is armed.  False, having done nothing, if the
 * clocksource is not the TSC or the timer not on CLOCK_MONOTONIC: the caller
 * arms it.
 */
bool raw_hrtimer_node_start(struct tsc_timer *tt, enum hrtimer_mode mode);

/**
 * raw_hrtimer_node_restart() - restart a timer that runs early, or is periodic
 * @tt:		the timer whose callback this is
 *
 * A periodic timer's callback, once it has done its work, sets the next deadline
 * and calls this again.  It does not start @tt: while it runs, the owner may cancel
 * it elsewhere.
 *
 * Context: the callback of @tt's hrtimer, before anything else, and again after it
 * has set another deadline.
 * Return: true if the deadline is still to come; the hrtimer has been given the
 * expiry that a start would give it now, and the callback returns HRTIMER_RESTART.
 * False if the deadline is reached, or if that is not known, because the clocksource is
 * no longer the TSC: the hrtimer is left alone, but for what the callback itself does
 * with it, until @tt is started again.
 */
bool raw_hrtimer_node_restart(struct tsc_timer *tt);

/**
 * raw_hrtimer_node_cancel() - leave a timer to its owner
 * @tt:		the timer, pending or not
 *
 * Comes before hrtimer_cancel(): after it nothing but its own callback starts
 * @tt's hrtimer again, or reads the deadline, until @tt is started again.
 *
 * Context: any but NMI.
 */
void raw_hrtimer_node_cancel(struct tsc_timer *tt);

/**
 * raw_hrtimer_node_remove() - cancel a timer and take it off its list
 * @tt:		the timer, pending or not, on a list or not
 *
 * Comes before the last hrtimer_cancel(), which comes before @tt or its hrtimer is
 * freed: after it nothing but its own callback touches either of them.
 *
 * Context: any but NMI.
 */
void raw_hrtimer_node_remove(struct tsc_timer *tt);

#endif /* _LINUX_RAW_HRTIMER_H */
