// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that do with their vCPUs' timers whatever comes to their minds, while the
 * script bends the clock.  Nothing of it is what KVM does today; all of it is what the
 * hrtimer core allows.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "vcpu.h"

#define VCPUS		4	/* of each thread */
#define THREADS_MIN	4
#define LONGEST_US	4000

struct thread {
	struct task_struct *task;
	struct rnd_state rnd;
	struct kvm_vcpu *vcpus[VCPUS];
	u64 destroyed, lost;
	const char *lost_kind;
	s64 lost_ahead;			/* ns, of its expiry, after it was waited for */
	struct guest_timer sum;		/* of the timers that are gone */
};

static u32 below(struct thread *thread, u32 limit)
{
	return prandom_u32_state(&thread->rnd) % limit;
}

static enum hrtimer_mode mode(struct thread *thread)
{
	return below(thread, 2) ? HRTIMER_MODE_ABS_HARD : HRTIMER_MODE_ABS_PINNED_HARD;
}

static void add(struct guest_timer *sum, const struct guest_timer *t)
{
	sum->starts += t->starts;
	sum->replaced += t->replaced;
	sum->fires += t->fires;
	sum->cancels += t->cancels;
	sum->early += t->early;
	sum->earliest = max(sum->earliest, t->earliest);
	sum->wrong += t->wrong;
	sum->zero += t->zero;
}

/* With timers pending, and the memory is used again at once. */
static void replace_vcpu(struct thread *thread, struct kvm_vcpu **vcpu)
{
	for (int kind = 0; kind < KINDS; kind++)
		gtimer_expect_nothing(&(*vcpu)->timers[kind]);
	kvm_arch_vcpu_destroy(*vcpu);
	for (int kind = 0; kind < KINDS; kind++)
		add(&thread->sum, &(*vcpu)->timers[kind]);
	kfree(*vcpu);
	*vcpu = vcpu_create();
	thread->destroyed++;
}

static void wait(struct thread *thread, struct guest_timer *t)
{
	static const char * const names[KINDS] = { "LAPIC", "Hyper-V", "Xen" };

	if (gtimer_wait(t))
		return;
	thread->lost++;
	thread->lost_kind = names[t->kind];
	thread->lost_ahead = hrtimer_get_expires(&t->timer) - ktime_get();
	/* Or whoever is next waits for it, too. */
	gtimer_cancel(t);
}

static void act(struct thread *thread, struct kvm_vcpu **vcpu)
{
	struct guest_timer *t = &(*vcpu)->timers[below(thread, KINDS)];
	u64 cycles = us_to_cycles(below(thread, LONGEST_US));

	switch (below(thread, 12)) {
	case 0 ... 2:
		gtimer_start(*vcpu, t, cycles, mode(thread));
		break;
	case 3:	/* so that its callback may run as it is started again */
		gtimer_start(*vcpu, t, us_to_cycles(below(thread, 20)), mode(thread));
		udelay(below(thread, 20));
		gtimer_start(*vcpu, t, cycles, mode(thread));
		break;
	case 4:	/* as where a vCPU is migrated */
		if (gtimer_cancel(t))
			gtimer_start_again(*vcpu, t, mode(thread));
		break;
	case 5:	/* whether it is pending or not, or was ever started */
		gtimer_start_again(*vcpu, t, mode(thread));
		break;
	case 6:
		gtimer_cancel(t);
		gtimer_cancel(t);
		break;
	case 7:	/* and again, at once, as its callback runs */
		gtimer_start(*vcpu, t, us_to_cycles(below(thread, 20)), mode(thread));
		udelay(below(thread, 20));
		for (int i = 0; i < 100 && gtimer_try_to_cancel(t) < 0; i++)
			cpu_relax();
		break;
	case 8:
		for (int kind = 0; kind < KINDS; kind++)
			gtimer_remaining(&(*vcpu)->timers[kind]);
		break;
	case 9:
		gtimer_start_periodic(*vcpu, t, us_to_cycles(50 + below(thread, 500)),
				     below(thread, 5));
		break;
	case 10:
		wait(thread, t);
		break;
	case 11:
		replace_vcpu(thread, vcpu);
		break;
	}
}

static int work(void *data)
{
	struct thread *thread = data;
	bool alive = true;

	for (u64 i = 1; !kthread_should_stop(); i++) {
		if (alive)
			act(thread, &thread->vcpus[below(thread, VCPUS)]);
		for (int j = 0; j < VCPUS; j++)
			alive = alive && thread->vcpus[j];
		if (i % 8 == 0 || !alive)
			usleep_range(100, 1000);
		cond_resched();
	}
	return 0;
}

static bool thread_start(struct thread *thread, u64 seed)
{
	prandom_seed_state(&thread->rnd, seed);
	for (int i = 0; i < VCPUS; i++) {
		thread->vcpus[i] = vcpu_create();
		if (!thread->vcpus[i])
			return false;
	}
	thread->task = kthread_run(work, thread, "careless/%llu", seed);
	if (!IS_ERR(thread->task))
		return true;
	thread->task = NULL;
	return false;
}

/* What is pending still comes, before the vCPUs go. */
static void thread_stop(struct thread *thread)
{
	if (thread->task)
		kthread_stop(thread->task);
	for (int i = 0; i < VCPUS; i++) {
		struct kvm_vcpu *vcpu = thread->vcpus[i];

		if (!vcpu)
			continue;
		for (int kind = 0; kind < KINDS; kind++) {
			wait(thread, &vcpu->timers[kind]);
			add(&thread->sum, &vcpu->timers[kind]);
		}
		vcpu_free(vcpu);
	}
}

static void judge(const struct guest_timer *sum, u64 destroyed, u64 lost)
{
	report("starts: %llu", sum->starts);
	report("fires: %llu", sum->fires);
	report("cancels: %llu", sum->cancels);
	report("replaced: %llu", sum->replaced);
	report("destroyed: %llu", destroyed);
	check(sum->fires && sum->cancels && sum->replaced && destroyed, "storm: all of it happened");
	check(!sum->early, "storm: %llu are early, by up to %llu cycles", sum->early, sum->earliest);
	check(!lost, "storm: %llu never came", lost);
	check(!sum->wrong, "storm: %llu callbacks or cancels of what was not armed", sum->wrong);
	check(!sum->zero, "storm: nothing remained %llu times too soon", sum->zero);
}

/* args: milliseconds, seed */
static void run_storm(const u64 *args)
{
	unsigned int n = max_t(unsigned int, THREADS_MIN, 2 * num_online_cpus());
	struct thread *threads = kcalloc(n, sizeof(*threads), GFP_KERNEL);
	struct guest_timer sum = { };
	u64 destroyed = 0, lost = 0;
	bool ok = threads;

	for (unsigned int i = 0; i < n && ok; i++)
		ok = thread_start(&threads[i], args[1] + i);
	if (ok)
		msleep(args[0]);
	for (unsigned int i = 0; threads && i < n; i++) {
		thread_stop(&threads[i]);
		add(&sum, &threads[i].sum);
		if (threads[i].lost)
			report("lost: %s, its expiry %lld ns ahead", threads[i].lost_kind,
			       threads[i].lost_ahead);
		destroyed += threads[i].destroyed;
		lost += threads[i].lost;
	}
	kfree(threads);
	check(ok, "storm: %u threads", n);
	judge(&sum, destroyed, lost);
}

const struct test_case storm_cases[] = {
	{ "storm", run_storm, "[MS [SEED]]", { 2000, 1 } },
	{ }
};
