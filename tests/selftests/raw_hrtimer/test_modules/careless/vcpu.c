// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPUs and their timers.  Each timer has one owner, who does one thing with it at
 * a time; its callback comes at any time.
 */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "vcpu.h"

/* Emulators share their processor with others: this long after it is not lost. */
#define PATIENCE (60 * HZ)

/* What rounding to nanoseconds and back may take away, in cycles. */
#define ROUNDING 64

/* The clock's rate is at most so far off, as a shift: 12.5 %. */
#define SKEW_SHIFT 3

static DEFINE_PER_CPU(struct kvm_vcpu *, running_vcpu);

struct kvm_vcpu *kvm_get_running_vcpu(void)
{
	return this_cpu_read(running_vcpu);
}
/* KVM exports it as well; nobody uses this one. */
EXPORT_SYMBOL_GPL(kvm_get_running_vcpu);

static void load(struct kvm_vcpu *vcpu)
{
	preempt_disable();
	this_cpu_write(running_vcpu, vcpu);
}

static void put(void)
{
	this_cpu_write(running_vcpu, NULL);
	preempt_enable();
}

static enum hrtimer_restart fired(struct guest_timer *t)
{
	u64 now = rdtsc_ordered();

	guard(raw_spinlock_irqsave)(&t->lock);
	/* Its owner has started it again while this waited for the lock. */
	if (hrtimer_is_queued(&t->timer))
		return HRTIMER_NORESTART;
	t->wrong += !t->armed;
	if (now < t->deadline) {
		t->early++;
		t->earliest = max(t->earliest, t->deadline - now);
	}
	t->fires++;
	if (t->periods) {
		t->periods--;
		hrtimer_add_expires_ns(&t->timer, t->period);
		/* Where the TSC is by then is not for this module to know. */
		t->deadline = 0;
		return HRTIMER_RESTART;
	}
	t->armed = false;
	return HRTIMER_NORESTART;
}

/* Each with code of its own: the compiler makes one of functions that are the same. */
static noinline enum hrtimer_restart fired_as(struct hrtimer *timer, enum kind kind)
{
	struct guest_timer *t = container_of(timer, struct guest_timer, timer);

	if (WARN_ON_ONCE(t->kind != kind))
		return HRTIMER_NORESTART;
	return fired(t);
}

noinline enum hrtimer_restart apic_timer_fn(struct hrtimer *timer)
{
	return fired_as(timer, LAPIC);
}

noinline enum hrtimer_restart stimer_timer_callback(struct hrtimer *timer)
{
	return fired_as(timer, HYPERV);
}

noinline enum hrtimer_restart xen_timer_callback(struct hrtimer *timer)
{
	return fired_as(timer, XEN);
}

static enum hrtimer_restart (* const callbacks[KINDS])(struct hrtimer *timer) = {
	[LAPIC]		= apic_timer_fn,
	[HYPERV]	= stimer_timer_callback,
	[XEN]		= xen_timer_callback,
};

void gtimer_setup(struct guest_timer *t, enum kind kind, clockid_t clock)
{
	t->kind = kind;
	raw_spin_lock_init(&t->lock);
	hrtimer_setup(&t->timer, callbacks[kind], clock, HRTIMER_MODE_ABS_HARD);
}

struct kvm_vcpu *vcpu_create(void)
{
	struct kvm_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL);

	for (int kind = 0; vcpu && kind < KINDS; kind++)
		gtimer_setup(&vcpu->timers[kind], kind, CLOCK_MONOTONIC);
	return vcpu;
}

/* As KVM does: hooked as it begins, with timers pending, which it cancels. */
noinline void kvm_arch_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	for (int kind = 0; kind < KINDS; kind++)
		gtimer_cancel(&vcpu->timers[kind]);
}

void vcpu_free(struct kvm_vcpu *vcpu)
{
	kvm_arch_vcpu_destroy(vcpu);
	kfree(vcpu);
}

static u64 cycles_to_ns(u64 cycles)
{
	return mul_u64_u64_div_u64(cycles, NSEC_PER_MSEC, tsc_khz);
}

/*
 * The time of @t's deadline on the monotonic clock, which is read here and may be out of
 * step with the TSC by as much as passes between the read and the start.
 */
static ktime_t prepare(struct guest_timer *t, u64 cycles, u64 *begin)
{
	*begin = rdtsc_ordered();
	t->starts++;
	t->replaced += t->armed;
	t->armed = true;
	t->periods = 0;
	t->deadline = *begin + cycles;
	return ktime_add_ns(ktime_get(), cycles_to_ns(cycles));
}

/* Whoever comes by between clock and start knows nothing of the time that passes there. */
static void allow_for(struct guest_timer *t, u64 begin)
{
	t->started_in = rdtsc_ordered() - begin;
	t->deadline -= (t->started_in >> SKEW_SHIFT) + ROUNDING;
}

static void start(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles,
		  unsigned int periods, enum hrtimer_mode mode)
{
	u64 begin;

	load(vcpu);
	scoped_guard(raw_spinlock_irqsave, &t->lock) {
		ktime_t expiry = prepare(t, cycles, &begin);

		t->period = cycles_to_ns(cycles);
		t->periods = periods;
		hrtimer_start(&t->timer, expiry, mode);
		allow_for(t, begin);
	}
	put();
}

void gtimer_start(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles,
		 enum hrtimer_mode mode)
{
	start(vcpu, t, cycles, 0, mode);
}

void gtimer_start_periodic(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles,
			  unsigned int periods)
{
	start(vcpu, t, cycles, periods, HRTIMER_MODE_ABS_HARD);
}

/* Returns false where the kernel does not have the function. */
bool gtimer_start_user(struct kvm_vcpu *vcpu, struct guest_timer *t, u64 cycles)
{
#ifdef HAVE_START_USER
	u64 begin;

	load(vcpu);
	scoped_guard(raw_spinlock_irqsave, &t->lock) {
		ktime_t expiry = prepare(t, cycles, &begin);

		if (!hrtimer_start_range_ns_user(&t->timer, expiry, 0, HRTIMER_MODE_ABS_HARD)) {
			/* Its time has passed, and it is not queued. */
			t->fires++;
			t->armed = false;
		}
		allow_for(t, begin);
	}
	put();
	return true;
#else
	return false;
#endif
}

/* With the expiry that it has.  Where it is pending that may change meanwhile. */
void gtimer_start_again(struct kvm_vcpu *vcpu, struct guest_timer *t, enum hrtimer_mode mode)
{
	load(vcpu);
	scoped_guard(raw_spinlock_irqsave, &t->lock) {
		t->starts++;
		t->replaced += t->armed;
		if (t->armed)
			t->deadline = 0;
		t->armed = true;
		hrtimer_start_expires(&t->timer, mode);
	}
	put();
}

/* Returns whether it was pending. */
static bool cancelled(struct guest_timer *t, bool pending)
{
	guard(raw_spinlock_irqsave)(&t->lock);
	t->wrong += pending != t->armed;
	t->cancels += pending;
	t->armed = false;
	return pending;
}

bool gtimer_cancel(struct guest_timer *t)
{
	return cancelled(t, hrtimer_cancel(&t->timer));
}

/* Returns what hrtimer_try_to_cancel() does. */
int gtimer_try_to_cancel(struct guest_timer *t)
{
	int ret = hrtimer_try_to_cancel(&t->timer);

	if (ret >= 0)
		cancelled(t, ret);
	return ret;
}

void gtimer_remaining(struct guest_timer *t)
{
	u64 deadline = 0;
	ktime_t left;

	scoped_guard(raw_spinlock_irqsave, &t->lock)
		if (t->armed && !t->periods)
			deadline = t->deadline;
	left = hrtimer_get_remaining(&t->timer);
	if (rdtsc_ordered() < deadline && left <= 0)
		t->zero++;
}

/* Returns false if it does not come. */
bool gtimer_wait(struct guest_timer *t)
{
	s64 ahead = max_t(s64, 0, hrtimer_get_expires(&t->timer) - ktime_get());
	unsigned long end = jiffies + nsecs_to_jiffies(ahead) + PATIENCE;

	while (READ_ONCE(t->armed) && time_before(jiffies, end))
		usleep_range(200, 1000);
	return !READ_ONCE(t->armed);
}

void gtimer_expect_nothing(struct guest_timer *t)
{
	guard(raw_spinlock_irqsave)(&t->lock);
	t->deadline = 0;
}
