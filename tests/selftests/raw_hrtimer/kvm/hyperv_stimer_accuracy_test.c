// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that Hyper-V synthetic timers expire when the reference counter says so.
 *
 * The guest computes the reference counter from the TSC with what it finds in
 * the TSC page, or has no such page and reads the counter's MSR, sets a timer, in
 * direct or in message mode, and compares the counter in the interrupt handler
 * with the one for which it set the timer.
 */
#include "hyperv.h"
#include "timer_accuracy.h"

/* The counter counts units of 100 ns. */
#define UNITS_PER_MS	10000

#define STIMER_ENABLE		BIT_ULL(0)
#define STIMER_PERIODIC		BIT_ULL(1)
#define STIMER_AUTO_ENABLE	BIT_ULL(3)
#define STIMER_VECTOR		((u64)TIMER_VECTOR << 4)
#define STIMER_DIRECT		BIT_ULL(12)
#define STIMER_SINTX(x)		((u64)(x) << 16)

/* Modes of this test's, beside STIMER_PERIODIC. */
#define MODE_NO_PAGE		BIT_ULL(62)
#define MODE_MESSAGE		BIT_ULL(63)

/* The interrupt source, and where its messages have their type. */
#define SINT			2
#define MESSAGE_SIZE		256

struct tsc_page {
	u32 sequence;
	u32 reserved;
	u64 scale;
	u64 offset;
};

static struct tsc_page *tsc_page;
static u32 *message_type;
static u64 irq_time;

static u64 reference_time(void)
{
	if (guest_timer.mode & MODE_NO_PAGE)
		return rdmsr(HV_X64_MSR_TIME_REF_COUNT);

	return ((__uint128_t)rdtsc() * tsc_page->scale >> 64) + tsc_page->offset;
}

static void timer_handler(struct ex_regs *regs)
{
	irq_time = reference_time();
	WRITE_ONCE(guest_timer.irqs, guest_timer.irqs + 1);
	if (message_type) {
		WRITE_ONCE(*message_type, 0);
		wrmsr(HV_X64_MSR_EOM, 0);
	}
	x2apic_write_reg(APIC_EOI, 0);
}

static void setup_messages(void *page, u64 page_gpa)
{
	wrmsr(HV_X64_MSR_SIMP, page_gpa | 1);
	wrmsr(HV_X64_MSR_SCONTROL, 1);
	wrmsr(HV_X64_MSR_SINT0 + SINT, TIMER_VECTOR);
	message_type = page + SINT * MESSAGE_SIZE;
}

static void guest_code(void *page, u64 page_gpa)
{
	u64 i, start, due, units = guest_timer.distance_us * UNITS_PER_MS / 1000;
	bool periodic = guest_timer.mode & STIMER_PERIODIC;
	u64 config = STIMER_DIRECT | STIMER_VECTOR;

	cli();
	x2apic_enable();
	wrmsr(HV_X64_MSR_GUEST_OS_ID, HYPERV_LINUX_OS_ID);
	if (!(guest_timer.mode & MODE_NO_PAGE)) {
		tsc_page = page;
		wrmsr(HV_X64_MSR_REFERENCE_TSC, page_gpa | 1);
		GUEST_ASSERT(READ_ONCE(tsc_page->sequence));
	}
	if (guest_timer.mode & MODE_MESSAGE) {
		setup_messages(page + PAGE_SIZE, page_gpa + PAGE_SIZE);
		config = STIMER_SINTX(SINT);
	}

	start = reference_time();
	if (periodic) {
		wrmsr(HV_X64_MSR_STIMER0_COUNT, units);
		wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_ENABLE | STIMER_PERIODIC | config);
	} else {
		wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_AUTO_ENABLE | config);
	}

	for (i = 0; i < guest_timer.samples; i++) {
		if (periodic) {
			due = start + (i + 1) * units;
		} else {
			due = reference_time() + units;
			wrmsr(HV_X64_MSR_STIMER0_COUNT, due);
		}
		guest_wait_for_irq(i + 1);
		guest_timer.late[i] = irq_time - due;
	}

	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 0);
	GUEST_DONE();
}

static void test_accuracy(const struct timer_run *run)
{
	struct kvm_vcpu *vcpu;
	gva_t page_gva;
	struct kvm_vm *vm;

	vm = timer_vm_create(&vcpu, guest_code, run);
	vcpu_set_hv_cpuid(vcpu);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);

	page_gva = vm_alloc_pages(vm, 2);
	memset(addr_gva2hva(vm, page_gva), 0, 2 * getpagesize());
	vcpu_args_set(vcpu, 2, page_gva, addr_gva2gpa(vm, page_gva));

	timer_vcpu_run(vcpu);
	timer_report(vm, run, UNITS_PER_MS);
}

static const struct timer_mode modes[] = {
	{ "oneshot", test_accuracy },
	{ "periodic", test_accuracy, STIMER_PERIODIC, .adds_up = true },
	{ "oneshot-message", test_accuracy, MODE_MESSAGE },
	{ "oneshot-msr", test_accuracy, MODE_NO_PAGE },
	{ "periodic-msr", test_accuracy, MODE_NO_PAGE | STIMER_PERIODIC, .adds_up = true },
	{ "oneshot-msr-message", test_accuracy, MODE_NO_PAGE | MODE_MESSAGE },
};

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_TIME));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_SYNIC2));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());

	timer_main(argc, argv, modes, ARRAY_SIZE(modes));
}
