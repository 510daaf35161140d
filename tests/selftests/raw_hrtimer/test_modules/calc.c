// SPDX-License-Identifier: GPL-2.0
/*
 * What is computed: expiries and the rate itself, against the clock and against
 * arithmetic done another way.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "test.h"

#define ROUNDS 1000

/* A clock reading and the TSC before and after it, in one and the same snapshot. */
struct reading {
	struct raw_hrtimer_rate rate;
	u64 before, after;
	ktime_t mono;
	int error;
	ktime_t expiry_before, expiry_after;
};

static void read_once(struct reading *r)
{
	struct raw_hrtimer_rate again;
	unsigned long flags;

	do {
		local_irq_save(flags);
		raw_hrtimer_get_rate(&r->rate);
		r->before = rdtsc_ordered();
		r->mono = ktime_get();
		r->after = rdtsc_ordered();
		r->error = raw_hrtimer_expiry(r->before, &r->expiry_before);
		r->error = raw_hrtimer_expiry(r->after, &r->expiry_after) ?: r->error;
		raw_hrtimer_get_rate(&again);
		local_irq_restore(flags);
	} while (again.generation != r->rate.generation);
}

/*
 * The clock, rounded down, was read between two TSC values: it cannot be below
 * the expiry of the first, rounded up, by more than 1, nor above that of the
 * second.
 */
static void run_expiry(const u64 *args)
{
	unsigned int outside = 0, errors = 0;
	ktime_t most = KTIME_MIN;
	u64 widest = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct reading r;

		read_once(&r);
		errors += !!r.error;
		outside += r.expiry_before - 1 > r.mono || r.mono > r.expiry_after;
		most = max(most, r.expiry_before - r.mono);
		widest = max(widest, r.after - r.before);
	}
	check(!errors, "expiry: no error");
	check(!outside, "expiry: of 'now' brackets ktime_get(), %u of %u outside", outside, ROUNDS);
	report("widest_bracket: %llu", widest);
	report("ahead_of_the_clock_ns: %lld", most);
}

/*
 * How far the expiry of a deadline lies ahead is the distance times the rate.
 */
static void run_ahead(const u64 *args)
{
	static const u64 distances[] = {
		1, 2, 999, 1000000, 1234567891, 10000000000, 3600000000000, 1ULL << 52,
	};
	unsigned int wrong = 0;

	for (int i = 0; i < ARRAY_SIZE(distances); i++) {
		struct raw_hrtimer_rate rate, again;
		ktime_t now, then;
		u64 least, most, tsc;

		do {
			raw_hrtimer_get_rate(&rate);
			tsc = rdtsc_ordered();
			raw_hrtimer_expiry(tsc, &now);
			raw_hrtimer_expiry(tsc + distances[i], &then);
			raw_hrtimer_get_rate(&again);
		} while (again.generation != rate.generation);

		/* Both are rounded up, so the difference is rounded up or down. */
		least = mul_u64_u32_shr(distances[i], rate.mono_mult, rate.shift);
		most = least + 1;
		if (then - now < least || then - now > most) {
			report("%llu cycles: %lld ns, not %llu to %llu", distances[i], then - now,
			       least, most);
			wrong++;
		}
	}
	check(!wrong, "ahead: expiries ahead lie as far as the rate says");
}

/* The reading with the narrowest bracket: an emulator stops anywhere. */
static void read_well(struct reading *best)
{
	struct reading r;

	read_once(best);
	for (int i = 0; i < 20; i++) {
		read_once(&r);
		if (r.after - r.before < best->after - best->before)
			*best = r;
	}
}

/* The rate against the clock itself, over a while, and the skew against both. */
static void run_rate(const u64 *args)
{
	struct reading a, b;
	u64 cycles, want, slack;
	s64 skew, off;

	read_well(&a);
	msleep(args[0]);
	read_well(&b);

	cycles = b.before - a.before;
	want = mul_u64_u32_shr(cycles, a.rate.mono_mult, a.rate.shift);
	/* Each bracket's width, one unit of mult for dither, and rounding. */
	slack = mul_u64_u32_shr(a.after - a.before + b.after - b.before, a.rate.mono_mult,
				a.rate.shift) + want / a.rate.mono_mult + 2;
	off = b.mono - a.mono - (s64)want;
	check(abs(off) <= slack, "rate: of %lld ns of ktime_get() %lld are off, %llu allowed",
	      b.mono - a.mono, off, slack);
	check(slack < want / 10, "rate: the clock was read closely enough to tell");

	skew = mul_u64_u64_div_u64(abs_diff(b.rate.mono_mult, b.rate.raw_mult), NSEC_PER_SEC,
				   b.rate.raw_mult);
	if (b.rate.mono_mult < b.rate.raw_mult)
		skew = -skew;
	check(b.rate.skew_ppb == skew, "rate: skew %lld ppb is that of the mults, %lld",
	      b.rate.skew_ppb, skew);
	check(b.rate.tsc, "rate: the clocksource is the TSC");
	check(b.rate.generation >= a.rate.generation && a.rate.generation,
	      "rate: snapshots are counted");
	report("mono_mult: %u", b.rate.mono_mult);
	report("raw_mult: %u", b.rate.raw_mult);
	report("shift: %u", b.rate.shift);
	report("generation: %llu", b.rate.generation);
}

const struct test_case calc_cases[] = {
	{ "expiry", run_expiry, "" },
	{ "ahead", run_ahead, "" },
	{ "rate", run_rate, "[MS]", { 100 } },
	{ }
};
