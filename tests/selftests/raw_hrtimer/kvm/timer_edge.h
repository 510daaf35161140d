/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of single timers share: how a guest waits, for how many interrupts, and how
 * its kvmclock is set.
 */
#ifndef SELFTEST_KVM_TIMER_EDGE_H
#define SELFTEST_KVM_TIMER_EDGE_H

#include "timer_guest.h"

/* Of the timer, so far; its handler counts them. */
static u64 irqs;

/* Interrupts may come, and at the end it's known how many there were. */
static inline void spin_ms(u64 ms)
{
	u64 start = rdtsc();

	sti();
	while (rdtsc() - start < ms * guest_tsc_khz)
		cpu_relax();
	cli();
}

static inline void wait_for_irq(u64 nr)
{
	while (READ_ONCE(irqs) < nr) {
		safe_halt();
		cli();
	}
}

/* Set kvmclock forward, or back; return what it is then, in ns. */
static inline u64 set_kvmclock(struct kvm_vm *vm, s64 ms)
{
	struct kvm_clock_data data;

	vm_ioctl(vm, KVM_GET_CLOCK, &data);
	data.flags = 0;
	data.clock += ms * NS_PER_MS;
	vm_ioctl(vm, KVM_SET_CLOCK, &data);
	return data.clock;
}

#endif /* SELFTEST_KVM_TIMER_EDGE_H */
