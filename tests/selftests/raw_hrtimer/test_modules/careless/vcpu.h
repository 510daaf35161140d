/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A KVM without guests: vCPUs that are their timers alone, which this module starts
 * and cancels as carelessly as it likes.  raw_hrtimer knows KVM's functions by name,
 * and hooks these.
 */
#ifndef CARELESS_VCPU_H
#define CARELESS_VCPU_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>

#include "../test.h"

/* The timers of a vCPU, by their callbacks. */
enum kind {
	LAPIC,
	HYPERV,
	XEN,
	KINDS
};

/**
 * struct guest_timer - an hrtimer, and what has become of it
 * @timer:	hrtimer, its callback by @kind
 * @lock:	protects what follows
 * @deadline:	TSC value before which the callback must not come; 0: any time is right
 * @started_in:	cycles that its start took: where in these its time begins is unknown
 * @armed:	started, and neither cancelled nor expired since
 * @periods:	how often the callback is still to restart it
 * @period:	by how many nanoseconds, as the LAPIC timer does
 * @starts:	starts by the owner
 * @replaced:	starts of a timer that was armed
 * @fires:	callbacks after which it was armed no more, or for its next period
 * @cancels:	cancels of a timer that was armed
 * @early:	callbacks before @deadline
 * @earliest:	the most cycles of these
 * @wrong:	callbacks that nobody waits for, or the hrtimer core and @armed disagree
 * @zero:	nothing remained, before @deadline
 */
struct guest_timer {
	struct hrtimer timer;
	enum kind kind;
	raw_spinlock_t lock;
	u64 deadline;
	u64 started_in;
	bool armed;
	unsigned int periods;
	u64 period;
	u64 starts, replaced, fires, cancels, early, earliest, wrong, zero;
};

struct kvm_vcpu {
	struct guest_timer timers[KINDS];
};

struct kvm_vcpu *vcpu_create(void);
void vcpu_free(struct kvm_vcpu *vcpu);

/* KVM's own names. */
struct kvm_vcpu *kvm_get_running_vcpu(void);
void kvm_arch_vcpu_destroy(struct kvm_vcpu *vcpu);
enum hrtimer_restart apic_timer_fn(struct hrtimer *timer);
enum hrtimer_restart stimer_timer_callback(struct hrtimer *timer);
enum hrtimer_restart xen_timer_callback(struct hrtimer *timer);

void gtimer_setup(struct guest_timer *t, enum kind kind, clockid_t clock);

/* As KVM does: @cycles from now in nanoseconds, added to the monotonic clock. */
void gtimer_start(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles,
		 enum hrtimer_mode mode);
void gtimer_start_periodic(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles,
			  unsigned int periods);
bool gtimer_start_user(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles);
void gtimer_start_again(struct kvm_vcpu *vcpu, struct guest_timer *t, enum hrtimer_mode mode);

bool gtimer_cancel(struct guest_timer *t);
int gtimer_try_to_cancel(struct guest_timer *t);
void gtimer_remaining(struct guest_timer *t);
bool gtimer_wait(struct guest_timer *t);

/* Nobody is there to whom it could be early. */
void gtimer_expect_nothing(struct guest_timer *t);

extern const struct test_case far_cases[];
extern const struct test_case storm_cases[];
extern const struct test_case blind_cases[];

void far_exit(void);

#endif /* CARELESS_VCPU_H */
