// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the APIC timer expires when the TSC says so.
 *
 * The guest starts the timer for various times ahead, waits for the interrupt
 * by spinning or halting, and compares the TSC in the interrupt handler with
 * the one at which the timer was due, i.e. with the TSC deadline, or with the
 * TSC before it wrote the initial count plus so many cycles of the bus.  When
 * the timer was started, and when the current count was read, is only known to
 * lie between the TSC before and after the access.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "apic.h"
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

#define TIMER_VECTOR	0xec
#define MAX_SAMPLES	4096

/* The bus runs at 1 GHz, i.e. the timer counts nanoseconds. */
#define COUNTS_PER_US	1000

static const u32 distances_us[] = { 10, 100, 1000, 10000, 100000 };

/* Shorter periods are subject to kvm.min_timer_period_us. */
#define MIN_PERIOD_US	1000

static const struct timer_mode {
	const char *name;
	u64 lvtt;
} modes[] = {
	{ "tscdeadline", APIC_LVT_TIMER_TSCDEADLINE },
	{ "oneshot", APIC_LVT_TIMER_ONESHOT },
	{ "periodic", APIC_LVT_TIMER_PERIODIC },
};

/* Arguments, written by the host. */
static u64 samples = 20;
static u64 lvtt;
static u64 counts;		/* until the timer is due */
static u64 halt;
static u64 far;

/* Results, written by the guest. */
static s64 lateness[MAX_SAMPLES];	/* cycles */
static u64 tmcct_reads;
static s64 tmcct_error;			/* counts, beyond what's possible */
static u64 irqs, irq_tsc;

static u64 counts_to_cycles(u64 n)
{
	return n * guest_tsc_khz / (COUNTS_PER_US * 1000);
}

static void timer_handler(struct ex_regs *regs)
{
	irq_tsc = rdtsc();
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
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

static void wait_for_irq(u64 nr, u64 min_due, u64 max_due)
{
	while (irqs < nr) {
		if (halt) {
			safe_halt();
		} else {
			sti();
			cpu_relax();
		}
		cli();
		if (irqs < nr && !halt && lvtt == APIC_LVT_TIMER_ONESHOT)
			check_current_count(min_due, max_due);
	}
}

/*
 * Beyond 2^64 / 10^6 cycles, the nanoseconds until the deadline don't fit into
 * 64 bits on their way from cycles.  Choose one for which the rest does, i.e.
 * an interrupt would arrive after half of the time.
 */
static void expect_no_irq(void)
{
	u64 cycles = counts_to_cycles(counts);
	u64 start = rdtsc();

	wrmsr(MSR_IA32_TSC_DEADLINE, start + ~0ull / 1000000 + cycles / 2);
	while (rdtsc() - start < cycles) {
		sti();
		cpu_relax();
		cli();
	}
}

static void guest_code(void)
{
	u64 before, after, due;
	u64 i;

	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, lvtt | TIMER_VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);	/* divide by 1 */

	if (far) {
		expect_no_irq();
		GUEST_DONE();
	}

	for (i = 0; i < samples; i++) {
		if (!i || lvtt != APIC_LVT_TIMER_PERIODIC) {
			before = rdtsc();
			if (lvtt == APIC_LVT_TIMER_TSCDEADLINE)
				wrmsr(MSR_IA32_TSC_DEADLINE, before + counts_to_cycles(counts));
			else
				x2apic_write_reg(APIC_TMICT, counts);
			after = rdtsc();
		}

		if (lvtt == APIC_LVT_TIMER_PERIODIC)
			due = before + counts_to_cycles(counts * (i + 1));
		else
			due = before + counts_to_cycles(counts);

		wait_for_irq(i + 1, due, due + after - before);
		lateness[i] = irq_tsc - due;
	}

	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);
	GUEST_DONE();
}

static void run(const struct timer_mode *mode, u32 distance_us, bool halted, bool far_ahead)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);

	lvtt = mode->lvtt;
	counts = distance_us * COUNTS_PER_US;
	halt = halted;
	far = far_ahead;
	irqs = 0;
	tmcct_reads = 0;
	tmcct_error = 0;
	sync_global_to_guest(vm, samples);
	sync_global_to_guest(vm, lvtt);
	sync_global_to_guest(vm, counts);
	sync_global_to_guest(vm, halt);
	sync_global_to_guest(vm, far);
	sync_global_to_guest(vm, irqs);
	sync_global_to_guest(vm, tmcct_reads);
	sync_global_to_guest(vm, tmcct_error);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
		/* NOT REACHED */
	case UCALL_DONE:
		break;
	default:
		TEST_FAIL("Unknown ucall %lu", uc.cmd);
	}

	sync_global_from_guest(vm, irqs);
	sync_global_from_guest(vm, lateness);
	sync_global_from_guest(vm, tmcct_reads);
	sync_global_from_guest(vm, tmcct_error);
	kvm_vm_free(vm);
}

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static void report(const struct timer_mode *mode, u32 distance_us, bool halted, u32 max_late)
{
	s64 min, max, drift = lateness[samples - 1] - lateness[0];
	u64 early = 0, i;

	for (i = 0; i < samples; i++)
		early += lateness[i] < 0;
	qsort(lateness, samples, sizeof(lateness[0]), compare);
	min = lateness[0];
	max = lateness[samples - 1];

	ksft_test_result(!early && !tmcct_error && (!max_late || max <= max_late),
			 "%s %u us %s: early %lu, late min %ld median %ld p99 %ld max %ld cycles, last - first %ld, count off by %ld of %lu\n",
			 mode->name, distance_us, halted ? "halted" : "spinning",
			 (unsigned long)early, (long)min, (long)lateness[samples / 2],
			 (long)lateness[samples * 99 / 100], (long)max, (long)drift,
			 (long)tmcct_error, (unsigned long)tmcct_reads);
}

static void help(const char *name)
{
	printf("usage: %s [--mode MODE] [--samples N] [--distance US] [--max-late CYCLES]\n\n"
	       " --mode:     tscdeadline, oneshot or periodic (default: all)\n"
	       " --samples:  of each kind, at most %u (default %lu)\n"
	       " --distance: to the deadline (default: 10 us to 100 ms)\n"
	       " --max-late: fail if a timer is later (default: any is fine)\n",
	       name, MAX_SAMPLES, (unsigned long)samples);
	exit(KSFT_FAIL);
}

/* Count the tests of one mode, or run them. */
static int test_mode(const struct timer_mode *mode, u32 only_us, u32 max_late, bool dry)
{
	int i, halted, tests = 0;

	for (i = 0; i < (only_us ? 1 : ARRAY_SIZE(distances_us)); i++) {
		u32 distance_us = only_us ?: distances_us[i];

		if (mode->lvtt == APIC_LVT_TIMER_PERIODIC && distance_us < MIN_PERIOD_US)
			continue;

		for (halted = 0; halted < 2; halted++, tests++) {
			if (dry)
				continue;
			run(mode, distance_us, halted, false);
			report(mode, distance_us, halted, max_late);
		}
	}

	if (mode->lvtt != APIC_LVT_TIMER_TSCDEADLINE)
		return tests;

	if (!dry) {
		run(mode, 10000, false, true);
		ksft_test_result(!irqs, "%s beyond 2^64 / 10^6 cycles: %lu interrupts\n",
				 mode->name, (unsigned long)irqs);
	}
	return tests + 1;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "samples", required_argument, NULL, 's' },
		{ "distance", required_argument, NULL, 'd' },
		{ "max-late", required_argument, NULL, 'l' },
		{ }
	};
	u32 max_late = 0, only_us = 0;
	const char *only = NULL;
	int opt, i, tests = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			only = optarg;
			break;
		case 's':
			samples = atoi_positive("Samples", optarg);
			break;
		case 'd':
			only_us = atoi_positive("Microseconds", optarg);
			break;
		case 'l':
			max_late = atoi_positive("Cycles", optarg);
			break;
		default:
			help(argv[0]);
		}
	}

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!only || !strcmp(only, modes[i].name))
			tests += test_mode(&modes[i], only_us, max_late, true);
	if (!tests || samples > MAX_SAMPLES)
		help(argv[0]);

	ksft_print_header();
	ksft_set_plan(tests);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!only || !strcmp(only, modes[i].name))
			test_mode(&modes[i], only_us, max_late, false);
	ksft_finished();
}
