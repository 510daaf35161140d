// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that Hyper-V synthetic timers expire when the reference counter says so.
 *
 * The guest computes the reference counter from the TSC with what it finds in
 * the TSC page, sets a timer in direct mode for various values ahead, waits for
 * the interrupt by spinning or halting, and compares the counter in the
 * interrupt handler with the one for which it set the timer.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "apic.h"
#include "hyperv.h"
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

#define TIMER_VECTOR	0xec
#define MAX_SAMPLES	4096

/* The counter counts units of 100 ns. */
#define UNITS_PER_US	10

#define STIMER_ENABLE		BIT_ULL(0)
#define STIMER_PERIODIC		BIT_ULL(1)
#define STIMER_AUTO_ENABLE	BIT_ULL(3)
#define STIMER_VECTOR		((u64)TIMER_VECTOR << 4)
#define STIMER_DIRECT		BIT_ULL(12)

static const u32 distances_us[] = { 10, 100, 1000, 10000, 100000 };

struct tsc_page {
	u32 sequence;
	u32 reserved;
	u64 scale;
	u64 offset;
};

/* Arguments, written by the host. */
static u64 samples = 20;
static u64 units;		/* until the timer is due */
static u64 periodic;
static u64 halt;

/* Results, written by the guest. */
static s64 lateness[MAX_SAMPLES];	/* units */
static u64 irqs, irq_time;

static struct tsc_page *tsc_page;

static u64 reference_time(void)
{
	return ((__uint128_t)rdtsc() * tsc_page->scale >> 64) + tsc_page->offset;
}

static void timer_handler(struct ex_regs *regs)
{
	irq_time = reference_time();
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(struct tsc_page *page, u64 page_gpa)
{
	u64 i, start, due;

	cli();
	x2apic_enable();
	tsc_page = page;
	wrmsr(HV_X64_MSR_GUEST_OS_ID, HYPERV_LINUX_OS_ID);
	wrmsr(HV_X64_MSR_REFERENCE_TSC, page_gpa | 1);
	GUEST_ASSERT(READ_ONCE(page->sequence));

	start = reference_time();
	if (periodic) {
		wrmsr(HV_X64_MSR_STIMER0_COUNT, units);
		wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_ENABLE | STIMER_PERIODIC |
		      STIMER_DIRECT | STIMER_VECTOR);
	} else {
		wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_AUTO_ENABLE | STIMER_DIRECT |
		      STIMER_VECTOR);
	}

	for (i = 0; i < samples; i++) {
		if (periodic) {
			due = start + (i + 1) * units;
		} else {
			due = reference_time() + units;
			wrmsr(HV_X64_MSR_STIMER0_COUNT, due);
		}

		while (irqs <= i) {
			if (halt) {
				safe_halt();
			} else {
				sti();
				cpu_relax();
			}
			cli();
		}
		lateness[i] = irq_time - due;
	}

	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 0);
	GUEST_DONE();
}

static void run(u32 distance_us, bool is_periodic, bool halted)
{
	struct kvm_vcpu *vcpu;
	gva_t page_gva;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_set_hv_cpuid(vcpu);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);

	page_gva = vm_alloc_page(vm);
	memset(addr_gva2hva(vm, page_gva), 0, getpagesize());
	vcpu_args_set(vcpu, 2, page_gva, addr_gva2gpa(vm, page_gva));

	units = (u64)distance_us * UNITS_PER_US;
	periodic = is_periodic;
	halt = halted;
	irqs = 0;
	sync_global_to_guest(vm, samples);
	sync_global_to_guest(vm, units);
	sync_global_to_guest(vm, periodic);
	sync_global_to_guest(vm, halt);
	sync_global_to_guest(vm, irqs);

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

	sync_global_from_guest(vm, lateness);
	kvm_vm_free(vm);
}

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static void report(u32 distance_us, bool is_periodic, bool halted, u32 max_late)
{
	s64 cycles_per_ms = guest_tsc_khz;
	u64 early = 0, i;
	s64 max;

	for (i = 0; i < samples; i++) {
		early += lateness[i] < 0;
		lateness[i] = lateness[i] * cycles_per_ms / (UNITS_PER_US * 1000);
	}
	qsort(lateness, samples, sizeof(lateness[0]), compare);
	max = lateness[samples - 1];

	ksft_test_result(!early && (!max_late || max <= max_late),
			 "%s %u us %s: early %lu, late min %ld median %ld p99 %ld max %ld cycles\n",
			 is_periodic ? "periodic" : "oneshot", distance_us,
			 halted ? "halted" : "spinning", (unsigned long)early,
			 (long)lateness[0], (long)lateness[samples / 2],
			 (long)lateness[samples * 99 / 100], (long)max);
}

static void help(const char *name)
{
	printf("usage: %s [--samples N] [--max-late CYCLES]\n\n"
	       " --samples:  of each kind, at most %u (default %lu)\n"
	       " --max-late: fail if a timer is later (default: any is fine)\n",
	       name, MAX_SAMPLES, (unsigned long)samples);
	exit(KSFT_FAIL);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "samples", required_argument, NULL, 's' },
		{ "max-late", required_argument, NULL, 'l' },
		{ }
	};
	int opt, i, is_periodic, halted;
	u32 max_late = 0;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 's')
			samples = atoi_positive("Samples", optarg);
		else if (opt == 'l')
			max_late = atoi_positive("Cycles", optarg);
		else
			help(argv[0]);
	}
	if (samples > MAX_SAMPLES)
		help(argv[0]);

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_TIME));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_SYNIC2));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());

	ksft_print_header();
	ksft_set_plan(4 * ARRAY_SIZE(distances_us));
	for (is_periodic = 0; is_periodic < 2; is_periodic++) {
		for (i = 0; i < ARRAY_SIZE(distances_us); i++) {
			for (halted = 0; halted < 2; halted++) {
				run(distances_us[i], is_periodic, halted);
				report(distances_us[i], is_periodic, halted, max_late);
			}
		}
	}
	ksft_finished();
}
