// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test Hyper-V synthetic timers at the edges of what a guest can ask for: counts up to
 * 2^64 - 1, which never come, counts that have passed, and messages for a page that
 * isn't enabled yet.
 *
 * A timer that never comes must not expire while the rate of the host's clock changes,
 * and the next count that is written must be met.  A message that cannot be delivered
 * waits until the guest, with its page enabled, asks for more by an end of message.
 */
#include "hyperv.h"
#include "timer_edge.h"

/* The counter counts units of 100 ns. */
#define UNITS_PER_MS		10000

#define STIMER_ENABLE		BIT_ULL(0)
#define STIMER_PERIODIC		BIT_ULL(1)
#define STIMER_DIRECT		(BIT_ULL(12) | (u64)TIMER_VECTOR << 4)
#define STIMER_MESSAGE		((u64)SINT << 16)

#define SINT			2
#define MESSAGE_TIMER_EXPIRED	0x80000010

/* How long nothing must happen, and to how far ahead a timer is set that does expire. */
#define QUIET_MS		10
#define AHEAD_MS		4

/* As the page has it for each interrupt source. */
struct timer_message {
	u32 type, flags;
	u64 reserved;
	u32 timer, reserved2;
	u64 expiration_time, delivery_time;
	u8 rest[216];
};

static const struct edge_case {
	const char *name;
	u64 count;
	bool periodic, msr, message, at_once;
} cases[] = {
	{ "2^64 - 1", ~0ull },
	{ "2^64 - 2", ~0ull - 1 },
	{ "2^63", BIT_ULL(63) },
	{ "2^63 - 1", BIT_ULL(63) - 1 },
	{ "(2^63 - 1) / 100", (BIT_ULL(63) - 1) / 100 },
	{ "less than that by one", (BIT_ULL(63) - 1) / 100 - 1 },
	{ "2^64 - 1, no TSC page", ~0ull, .msr = true },
	{ "2^64 - 1, periodic", ~0ull, .periodic = true },
	{ "2^63, periodic", BIT_ULL(63), .periodic = true },
	{ "in the past", 1, .at_once = true },
	{ "a message without a page", 0, .message = true },
	{ "periodic messages without a page", 0, .message = true, .periodic = true },
};

static struct edge_case test;
static struct timer_message *messages;
static s64 late_units;

static void timer_handler(struct ex_regs *regs)
{
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static u64 reference_time(void)
{
	return rdmsr(HV_X64_MSR_TIME_REF_COUNT);
}

static void start_timer(u64 count, u64 config)
{
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 0);
	wrmsr(HV_X64_MSR_STIMER0_COUNT, count);
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_ENABLE | config);
}

static void guest_counts(void)
{
	u64 expected = test.at_once, due;

	start_timer(test.count, STIMER_DIRECT | (test.periodic ? STIMER_PERIODIC : 0));
	spin_ms(QUIET_MS);
	GUEST_ASSERT_EQ(irqs, expected);

	due = reference_time() + AHEAD_MS * UNITS_PER_MS;
	start_timer(due, STIMER_DIRECT);
	wait_for_irq(expected + 1);
	late_units = reference_time() - due;
	spin_ms(QUIET_MS);
	GUEST_ASSERT_EQ(irqs, expected + 1);
}

/* A message is read, and its slot is free again. */
static void read_message(struct timer_message *message)
{
	GUEST_ASSERT_EQ(message->type, MESSAGE_TIMER_EXPIRED);
	GUEST_ASSERT(message->delivery_time >= message->expiration_time);
	late_units = message->delivery_time - message->expiration_time;
	WRITE_ONCE(message->type, 0);
	wrmsr(HV_X64_MSR_EOM, 0);
}

static void guest_messages(u64 page_gpa)
{
	struct timer_message *message = &messages[SINT];
	u64 units = AHEAD_MS * UNITS_PER_MS, due, i;

	wrmsr(HV_X64_MSR_SCONTROL, 1);
	wrmsr(HV_X64_MSR_SINT0 + SINT, TIMER_VECTOR);

	due = reference_time() + units;
	start_timer(test.periodic ? units : due,
		    STIMER_MESSAGE | (test.periodic ? STIMER_PERIODIC : 0));
	spin_ms(QUIET_MS);
	GUEST_ASSERT_EQ(irqs, 0);

	/* Enabling the page does not deliver it, as KVM isn't asked to try again. */
	wrmsr(HV_X64_MSR_SIMP, page_gpa | 1);
	spin_ms(QUIET_MS);
	GUEST_ASSERT_EQ(irqs, 0);

	wrmsr(HV_X64_MSR_EOM, 0);
	wait_for_irq(1);
	if (!test.periodic)
		GUEST_ASSERT_EQ(message->expiration_time, due);
	read_message(message);
	for (i = 2; test.periodic && i < 6; i++) {
		wait_for_irq(i);
		read_message(message);
	}
	if (!test.periodic) {
		spin_ms(QUIET_MS);
		GUEST_ASSERT_EQ(irqs, 1);
	}
}

static void guest_code(u64 tsc_page_gpa, u64 message_page_gpa)
{
	cli();
	x2apic_enable();
	wrmsr(HV_X64_MSR_GUEST_OS_ID, HYPERV_LINUX_OS_ID);
	if (!test.msr)
		wrmsr(HV_X64_MSR_REFERENCE_TSC, tsc_page_gpa | 1);
	if (test.message)
		guest_messages(message_page_gpa);
	else
		guest_counts();
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 0);
	GUEST_DONE();
}

static void run_case(const struct edge_case *edge)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t pages;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_set_hv_cpuid(vcpu);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);

	pages = vm_alloc_pages(vm, 2);
	memset(addr_gva2hva(vm, pages), 0, 2 * getpagesize());
	messages = (void *)(pages + getpagesize());
	test = *edge;
	irqs = 0;
	late_units = 0;
	sync_global_to_guest(vm, messages);
	sync_global_to_guest(vm, test);
	sync_global_to_guest(vm, irqs);
	sync_global_to_guest(vm, late_units);
	vcpu_args_set(vcpu, 2, addr_gva2gpa(vm, pages),
		      addr_gva2gpa(vm, pages) + getpagesize());

	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, late_units);
	kvm_vm_free(vm);
	ksft_test_result(late_units >= 0, "%s: then %ld00 ns late\n", edge->name,
			 (long)late_units);
}

int main(int argc, char *argv[])
{
	unsigned int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_TIME));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_SYNIC2));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i]);
	ksft_finished();
}
