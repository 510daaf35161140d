// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that an APIC timer that is pending survives being restored into a new VM.
 *
 * A TSC deadline is one of the guest's TSC, and is nothing but a number as long as
 * the APIC isn't in TSC-deadline mode: restored after both of them, the timer has to
 * expire when it's due.  One-shot and periodic timers are restored with the APIC.
 * Monitors have restored the three in other orders, too; the timer may get lost
 * then, but not be early.
 *
 * The guest has been up for hours, i.e. a TSC that isn't restored yet is as far from
 * the deadline.  How exact the timer is isn't tested, i.e. it matters neither at which
 * rate the host's clocks run, nor that the host is busy.
 */
#include "timer_accuracy.h"

#define DISTANCE_US	20000
#define LOST_US		(10 * DISTANCE_US)	/* late by this */
#define UPTIME_US	(3ull * 3600 * 1000000)
#define COUNTS_PER_US	1000		/* of the bus, divided by 1 */

/* What userspace does in turn, after all other state is there. */
enum step { END, TSC, APIC, DEADLINE };

static const struct restore_case {
	const char *name;
	u64 mode;
	enum step steps[4];
	bool may_be_lost;
} cases[] = {
	{ "TSC, APIC, deadline", APIC_LVT_TIMER_TSCDEADLINE, { TSC, APIC, DEADLINE } },
	{ "APIC, TSC, deadline", APIC_LVT_TIMER_TSCDEADLINE, { APIC, TSC, DEADLINE } },
	{ "APIC, deadline, TSC", APIC_LVT_TIMER_TSCDEADLINE, { APIC, DEADLINE, TSC }, true },
	{ "TSC, deadline, APIC", APIC_LVT_TIMER_TSCDEADLINE, { TSC, DEADLINE, APIC }, true },
	{ "deadline, TSC, APIC", APIC_LVT_TIMER_TSCDEADLINE, { DEADLINE, TSC, APIC }, true },
	{ "one-shot: TSC, APIC", APIC_LVT_TIMER_ONESHOT, { TSC, APIC } },
	{ "one-shot: APIC, TSC", APIC_LVT_TIMER_ONESHOT, { APIC, TSC } },
	{ "periodic: TSC, APIC", APIC_LVT_TIMER_PERIODIC, { TSC, APIC } },
	{ "periodic: APIC, TSC", APIC_LVT_TIMER_PERIODIC, { APIC, TSC } },
};

/* What the guest is told, and what it tells. */
static u64 mode, due, irq_tsc, irqs;

static u64 us_to_cycles(u64 us)
{
	return us * guest_tsc_khz / 1000;
}

static void timer_handler(struct ex_regs *regs)
{
	if (!irqs)
		irq_tsc = rdtsc();
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(void)
{
	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, mode | TIMER_VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);	/* divide by 1 */

	due = rdtsc() + us_to_cycles(DISTANCE_US);
	if (mode == APIC_LVT_TIMER_TSCDEADLINE)
		wrmsr(MSR_IA32_TSC_DEADLINE, due);
	else
		x2apic_write_reg(APIC_TMICT, DISTANCE_US * COUNTS_PER_US);
	GUEST_SYNC(0);

	while (!READ_ONCE(irqs) && rdtsc() < due + us_to_cycles(LOST_US)) {
		sti();
		cpu_relax();
		cli();
	}
	GUEST_DONE();
}

static u64 take_msr(struct kvm_x86_state *state, u32 index)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < state->msrs.nmsrs; i++) {
		if (state->msrs.entries[i].index == index) {
			value = state->msrs.entries[i].data;
			state->msrs.entries[i] = state->msrs.entries[--state->msrs.nmsrs];
			return value;
		}
	}
	TEST_FAIL("MSR %x isn't saved", index);
}

static struct kvm_vcpu *restore(struct kvm_vm *vm, struct kvm_vcpu *vcpu,
				const enum step *steps)
{
	struct kvm_lapic_state lapic;
	struct kvm_x86_state *state;
	u64 tsc, deadline;

	state = vcpu_save_state(vcpu);
	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);
	tsc = take_msr(state, MSR_IA32_TSC);
	deadline = take_msr(state, MSR_IA32_TSC_DEADLINE);
	take_msr(state, MSR_IA32_TSC_ADJUST);

	kvm_vm_release(vm);
	vcpu = vm_recreate_with_one_vcpu(vm);
	vcpu_load_state(vcpu, state);
	kvm_x86_state_cleanup(state);

	for (; *steps != END; steps++) {
		switch (*steps) {
		case TSC:
			vcpu_set_msr(vcpu, MSR_IA32_TSC, tsc);
			break;
		case APIC:
			vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
			break;
		default:
			/* Reads as zero as long as the APIC isn't in TSC-deadline mode. */
			TEST_ASSERT_EQ(_vcpu_set_msr(vcpu, MSR_IA32_TSC_DEADLINE, deadline), 1);
			break;
		}
	}
	return vcpu;
}

static void test_restore(const struct restore_case *test)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	s64 late;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	vcpu_set_msr(vcpu, MSR_IA32_TSC, us_to_cycles(UPTIME_US));
	mode = test->mode;
	irqs = 0;
	sync_global_to_guest(vm, mode);
	sync_global_to_guest(vm, irqs);

	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	vcpu = restore(vm, vcpu, test->steps);
	timer_vcpu_run(vcpu);

	sync_global_from_guest(vm, due);
	sync_global_from_guest(vm, irqs);
	sync_global_from_guest(vm, irq_tsc);
	kvm_vm_free(vm);

	late = irq_tsc - due;
	if (irqs)
		ksft_print_msg("%s: late by %ld cycles\n", test->name, (long)late);
	else
		ksft_print_msg("%s: lost\n", test->name);
	ksft_test_result(irqs ? late > -(s64)us_to_cycles(DISTANCE_US / 2) : test->may_be_lost,
			 "%s\n", test->name);
}

int main(int argc, char *argv[])
{
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_restore(&cases[i]);
	ksft_finished();
}
