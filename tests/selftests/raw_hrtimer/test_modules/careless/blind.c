// SPDX-License-Identifier: GPL-2.0
/*
 * KVMs as there may be some day: timers that are armed by other functions than today,
 * on other clocks, or relative to now.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "vcpu.h"

#define ROUNDS 4

/* args: microseconds */
static void run_user(const u64 *args)
{
	struct kvm_vcpu *vcpu = vcpu_create();
	struct guest_timer *t;
	bool is_there = true;

	if (!vcpu) {
		check(false, "user: memory");
		return;
	}
	t = &vcpu->timers[XEN];
	for (int i = 0; i < ROUNDS && is_there; i++) {
		is_there = gtimer_start_user(vcpu, t, us_to_cycles(args[0]));
		check(!is_there || gtimer_wait(t), "user: it came");
	}
	report("user: %d", is_there);
	check(!t->early && !t->wrong, "user: not early, %llu cycles", t->earliest);
	vcpu_free(vcpu);
}

static unsigned int rounds;

/* Its callback is nobody's, as it is started, and KVM's as it expires. */
static enum hrtimer_restart someones_callback(struct hrtimer *timer)
{
	struct guest_timer *t = container_of(timer, struct guest_timer, timer);

	t->armed = true;
	hrtimer_update_function(timer, xen_timer_callback);
	hrtimer_add_expires_ns(timer, 100 * NSEC_PER_USEC);
	return HRTIMER_RESTART;
}

static void run_unseen(const u64 *args)
{
	struct kvm_vcpu *vcpu = vcpu_create();
	struct guest_timer *t;

	if (!vcpu) {
		check(false, "unseen: memory");
		return;
	}
	t = &vcpu->timers[XEN];
	for (rounds = 0; rounds < args[0]; rounds++) {
		/* Not queued, and its callback does not run. */
		hrtimer_update_function(&t->timer, someones_callback);
		t->armed = true;
		hrtimer_start(&t->timer, ktime_add_us(ktime_get(), 100), HRTIMER_MODE_ABS_HARD);
		if (!gtimer_wait(t))
			break;
		/* Its callback has told so before it returned. */
		hrtimer_cancel(&t->timer);
	}
	check(rounds == args[0] && t->fires == args[0], "unseen: each came once");
	vcpu_free(vcpu);
}

/* A timer as it is to be left alone: with the expiry that it was given. */
static void left_alone(clockid_t clock, bool relative, const char *what)
{
	enum hrtimer_mode mode = relative ? HRTIMER_MODE_REL_HARD : HRTIMER_MODE_ABS_HARD;
	struct kvm_vcpu *vcpu = vcpu_create();
	struct guest_timer *t;
	ktime_t delta = ms_to_ktime(500), expiry, before;

	if (!vcpu) {
		check(false, "foreign: memory");
		return;
	}
	t = &vcpu->timers[XEN];
	for (int i = 0; i < ROUNDS; i++) {
		gtimer_setup(t, XEN, clock);
		t->armed = true;
		before = hrtimer_cb_get_time(&t->timer);
		expiry = ktime_add(before, delta);
		hrtimer_start(&t->timer, relative ? delta : expiry, mode);
		if (relative)
			check(hrtimer_get_expires(&t->timer) >= expiry, "foreign: %s, in time", what);
		else
			check(hrtimer_get_expires(&t->timer) == expiry, "foreign: %s, as asked", what);
		check(gtimer_wait(t), "foreign: %s, came", what);
		check(hrtimer_cb_get_time(&t->timer) >= expiry, "foreign: %s, not early", what);
		hrtimer_cancel(&t->timer);
	}
	vcpu_free(vcpu);
}

static void run_foreign(const u64 *args)
{
	left_alone(CLOCK_BOOTTIME, false, "boot time");
	left_alone(CLOCK_MONOTONIC, true, "relative");
}

const struct test_case blind_cases[] = {
	{ "user", run_user, "[US]", { 20000 } },
	{ "unseen", run_unseen, "[ROUNDS]", { ROUNDS } },
	{ "foreign", run_foreign, "" },
	{ }
};
