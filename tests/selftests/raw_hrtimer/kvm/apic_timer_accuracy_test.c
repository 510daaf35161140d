// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the APIC timer expires when the TSC says so.
 *
 * It is due at its TSC deadline, or so many cycles of the bus after the initial
 * count was written, for which the TSC before the write is taken.  When the
 * current count is read is only known to lie between the TSC before and after.
 */
#include "timer_accuracy.h"

/* The bus runs at 1 GHz, i.e. the timer counts nanoseconds. */
#define COUNTS_PER_US	1000

/* What kvm.min_timer_period_us is by default. */
#define MIN_PERIOD_US	200

/* Results, written by the guest. */
static u64 irq_tsc;
static u64 tmcct_reads;
static s64 tmcct_error;			/* counts, beyond what's possible */

static u64 counts_to_cycles(u64 n)
{
	return n * guest_tsc_khz / (COUNTS_PER_US * 1000);
}

static void timer_handler(struct ex_regs *regs)
{
	irq_tsc = rdtsc();
	WRITE_ONCE(guest_timer.irqs, guest_timer.irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_setup(void)
{
	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, guest_timer.mode | TIMER_VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);	/* divide by 1 */
}

static void guest_accuracy(void)
{
	u64 i, due, counts = guest_timer.distance_us * COUNTS_PER_US;
	u64 start = 0;

	guest_setup();
	for (i = 0; i < guest_timer.samples; i++) {
		if (!i || guest_timer.mode != APIC_LVT_TIMER_PERIODIC)
			start = rdtsc();

		due = start + counts_to_cycles(counts);
		if (guest_timer.mode == APIC_LVT_TIMER_TSCDEADLINE)
			wrmsr(MSR_IA32_TSC_DEADLINE, due);
		else if (guest_timer.mode == APIC_LVT_TIMER_ONESHOT || !i)
			x2apic_write_reg(APIC_TMICT, counts);
		else
			due = start + counts_to_cycles(counts * (i + 1));

		guest_wait_for_irq(i + 1);
		guest_timer.late[i] = irq_tsc - due;
	}

	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);
	GUEST_DONE();
}

/*
 * What to set TSC_ADJUST to next, when the TSC without it is @tsc: forward, such
 * that the TSC wraps in the middle of the next period, to where it's negative, and
 * back.
 */
static u64 next_tsc_adjust(u64 i, u64 tsc, u64 period)
{
	switch (i % 4) {
	case 0:
		return BIT_ULL(40);
	case 1:
		return -(tsc + period + period / 2);
	case 2:
		return BIT_ULL(63);
	default:
		return 0;
	}
}

/* Set the TSC while the timer counts the bus, which has nothing to do with it. */
static void guest_written(void)
{
	u64 counts = guest_timer.distance_us * COUNTS_PER_US;
	bool periodic = guest_timer.mode == APIC_LVT_TIMER_PERIODIC;
	u64 i, due, start = 0, adjust = 0;

	guest_setup();
	for (i = 0; i < guest_timer.samples; i++) {
		if (!i || !periodic) {
			start = rdtsc() - adjust;
			x2apic_write_reg(APIC_TMICT, counts);
		}
		due = start + counts_to_cycles(counts * (periodic ? i + 1 : 1));

		adjust = next_tsc_adjust(i, rdtsc() - adjust, counts_to_cycles(counts));
		wrmsr(MSR_IA32_TSC_ADJUST, adjust);

		guest_wait_for_irq(i + 1);
		guest_timer.late[i] = irq_tsc - adjust - due;
		if (!periodic)
			GUEST_ASSERT_EQ(x2apic_read_reg(APIC_TMCCT), 0);
	}

	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);
	GUEST_DONE();
}

static void check_current_count(u64 min_due, u64 max_due)
{
	u64 before, after, most, least, tmcct;

	before = rdtsc();
	tmcct = x2apic_read_reg(APIC_TMCCT);
	after = rdtsc();
	if (after >= min_due)
		return;

	/* A count that isn't over may or may not be included. */
	most = (max_due - before) * COUNTS_PER_US * 1000 / guest_tsc_khz + 1;
	least = (min_due - after) * COUNTS_PER_US * 1000 / guest_tsc_khz - 1;

	tmcct_reads++;
	if (tmcct > most)
		tmcct_error = max(tmcct_error, (s64)(tmcct - most));
	else if (tmcct < least)
		tmcct_error = min(tmcct_error, -(s64)(least - tmcct));
}

static void guest_count(void)
{
	u64 i, before, after, counts = guest_timer.distance_us * COUNTS_PER_US;

	guest_setup();
	for (i = 0; i < guest_timer.samples; i++) {
		before = rdtsc();
		x2apic_write_reg(APIC_TMICT, counts);
		after = rdtsc();
		while (READ_ONCE(guest_timer.irqs) <= i) {
			sti();
			cpu_relax();
			cli();
			if (READ_ONCE(guest_timer.irqs) <= i)
				check_current_count(before + counts_to_cycles(counts),
						    after + counts_to_cycles(counts));
		}
	}
	GUEST_DONE();
}

static struct kvm_vm *run_guest(const struct timer_run *run, void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = timer_vm_create(&vcpu, guest_code, run);
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	timer_vcpu_run(vcpu);
	return vm;
}

static void test_accuracy(const struct timer_run *run)
{
	struct kvm_vm *vm = run_guest(run, guest_accuracy);

	timer_report(vm, run, guest_tsc_khz);
}

static void test_written(const struct timer_run *run)
{
	struct kvm_vm *vm = run_guest(run, guest_written);

	timer_report(vm, run, guest_tsc_khz);
}

static void test_count(const struct timer_run *run)
{
	struct kvm_vm *vm = run_guest(run, guest_count);
	s64 allowed = timer_allowed(run, run->distance_us * COUNTS_PER_US);

	sync_global_from_guest(vm, tmcct_reads);
	sync_global_from_guest(vm, tmcct_error);
	kvm_vm_free(vm);
	ksft_test_result(tmcct_reads && llabs(tmcct_error) <= allowed,
			 "%s %u us: off by %ld in %lu reads\n",
			 run->mode->name, run->distance_us, (long)tmcct_error,
			 (unsigned long)tmcct_reads);
}

static const struct timer_mode modes[] = {
	{ "tscdeadline", test_accuracy, APIC_LVT_TIMER_TSCDEADLINE },
	{ "oneshot", test_accuracy, APIC_LVT_TIMER_ONESHOT },
	{ "periodic", test_accuracy, APIC_LVT_TIMER_PERIODIC, .min_us = MIN_PERIOD_US,
	  .adds_up = true },
	{ "oneshot-written", test_written, APIC_LVT_TIMER_ONESHOT, .min_us = MIN_PERIOD_US },
	{ "periodic-written", test_written, APIC_LVT_TIMER_PERIODIC, .min_us = MIN_PERIOD_US,
	  .adds_up = true },
	{ "count", test_count, APIC_LVT_TIMER_ONESHOT, .spinning_only = true,
	  .min_us = 100, .max_us = 100000 },
};

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));

	timer_main(argc, argv, modes, ARRAY_SIZE(modes));
}
