// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test Hyper-V synthetic timers that are pending when userspace sets kvmclock, and
 * with it the reference counter.
 *
 * A timer is due when the counter says so, i.e. earlier if the clock is set forward,
 * and later if it's set back.  What is tested is most of what the clock is set by, i.e.
 * it matters neither at which rate the host's clocks run, nor that the host is busy.
 */
#include "hyperv.h"
#include "timer_edge.h"

#define DISTANCE_MS	500
#define TOLERANCE_MS	200

/* The counter counts units of 100 ns. */
#define UNITS_PER_MS	10000

#define STIMER_CONFIG	(BIT_ULL(0) /* enable */ | BIT_ULL(12) /* direct */ | \
			 (u64)TIMER_VECTOR << 4)

static const struct clock_case {
	const char *name;
	s64 set_ms;		/* forward */
	bool page;		/* the guest has a TSC page */
} cases[] = {
	{ "not set", 0 },
	{ "set forward", 300 },
	{ "set forward, TSC page", 300, .page = true },
	{ "set beyond", 3600000 },
	{ "set back", -300 },
	{ "set back, TSC page", -300, .page = true },
};

/* What the guest tells: the counter, and the TSC in between. */
static u64 due, resumed, irq_time, cycles;

static void timer_handler(struct ex_regs *regs)
{
	irq_time = rdmsr(HV_X64_MSR_TIME_REF_COUNT);
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(u64 page_gpa)
{
	u64 start;

	cli();
	x2apic_enable();
	wrmsr(HV_X64_MSR_GUEST_OS_ID, HYPERV_LINUX_OS_ID);
	if (page_gpa)
		wrmsr(HV_X64_MSR_REFERENCE_TSC, page_gpa | 1);

	due = rdmsr(HV_X64_MSR_TIME_REF_COUNT) + DISTANCE_MS * UNITS_PER_MS;
	wrmsr(HV_X64_MSR_STIMER0_COUNT, due);
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_CONFIG);
	GUEST_SYNC(0);

	start = rdtsc();
	resumed = rdmsr(HV_X64_MSR_TIME_REF_COUNT);
	wait_for_irq(1);
	cycles = rdtsc() - start;
	GUEST_DONE();
}

static void test_set_clock(const struct clock_case *test)
{
	struct kvm_vcpu *vcpu;
	s64 left_ms, late_ms;
	gva_t page_gva;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_set_hv_cpuid(vcpu);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	page_gva = vm_alloc_page(vm);
	memset(addr_gva2hva(vm, page_gva), 0, getpagesize());
	vcpu_args_set(vcpu, 1, test->page ? addr_gva2gpa(vm, page_gva) : 0);
	irqs = 0;
	sync_global_to_guest(vm, irqs);

	/* Setting it back must not make it negative. */
	set_kvmclock(vm, 3600000);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	if (test->set_ms)
		set_kvmclock(vm, test->set_ms);
	timer_vcpu_run(vcpu);

	sync_global_from_guest(vm, due);
	sync_global_from_guest(vm, resumed);
	sync_global_from_guest(vm, irqs);
	sync_global_from_guest(vm, irq_time);
	sync_global_from_guest(vm, cycles);
	kvm_vm_free(vm);

	/* From when the guest went on to the interrupt, beyond what was left then. */
	left_ms = max((s64)(due - resumed), (s64)0) / UNITS_PER_MS;
	late_ms = (s64)(cycles / guest_tsc_khz) - left_ms;
	ksft_print_msg("%s: %ld ms were left, %ld ms late, counter - expiration time %ld us\n",
		       test->name, (long)left_ms, (long)late_ms,
		       (long)(s64)(irq_time - due) / 10);
	ksft_test_result(irqs == 1 && irq_time >= due && late_ms < TOLERANCE_MS, "%s\n",
			 test->name);
}

int main(int argc, char *argv[])
{
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_TIME));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_SYNIC2));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ADJUST_CLOCK));

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_set_clock(&cases[i]);
	ksft_finished();
}
