// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test the Xen timer at the edges of what userspace and a guest can do: it is set
 * before the vCPU has a PV clock, and read and set again and again while it's pending.
 *
 * However it was set, it raises its event once, and not before the PV clock says so.
 */
#include "timer_edge.h"
#include "xen_timer.h"

#define AHEAD_MS	50
#define AHEAD_NS	(AHEAD_MS * 1000000ull)
#define TIMES		100

/* Without a PV clock KVM takes kvmclock, which it reads apart from the host's clock. */
#define TOLERANCE_NS	50000

enum edge { UNRUN, UNCLOCKED, SET_AGAIN, TAKEN_AWAY, PASSED };

static const char * const names[] = {
	[UNRUN] = "set before the vCPU runs",
	[UNCLOCKED] = "set by a guest without vcpu_info",
	[SET_AGAIN] = "read and set again while pending",
	[TAKEN_AWAY] = "taken away while pending",
	[PASSED] = "set to a time that has passed",
};

static u64 irq_ns;
static s64 late_ns;

static void upcall_handler(struct ex_regs *regs)
{
	irq_ns = xen_clock();
	xen_clear_event();
	WRITE_ONCE(irqs, irqs + 1);
}

static void guest_code(enum edge edge, u64 due)
{
	u64 expected = edge != TAKEN_AWAY;

	cli();
	x2apic_enable();
	if (edge == UNCLOCKED) {
		xen_set_timer(due);
	} else if (edge != UNRUN) {
		due = xen_clock() + AHEAD_NS;
		xen_set_timer(due);
	}
	GUEST_SYNC(0);

	wait_for_irq(expected);
	if (edge < TAKEN_AWAY)
		late_ns = irq_ns - due;
	spin_ms(expected ? 5 : 2 * AHEAD_MS);
	GUEST_ASSERT_EQ(irqs, expected);
	GUEST_DONE();
}

/* KVM stops and starts the timer to read it. */
static u64 vcpu_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_TIMER };

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, &attr);
	return attr.u.timer.expires_ns;
}

/* While the timer is pending, or before the vCPU goes on. */
static void meanwhile(enum edge edge, struct kvm_vcpu *vcpu, gpa_t gpa)
{
	u64 expires_ns = vcpu_timer(vcpu);
	int i;

	TEST_ASSERT(expires_ns, "The timer isn't pending");
	if (edge == UNCLOCKED)
		xen_set_vcpu_info(vcpu, gpa);
	for (i = 0; edge == SET_AGAIN && i < TIMES; i++) {
		TEST_ASSERT_EQ(vcpu_timer(vcpu), expires_ns);
		xen_set_vcpu_timer(vcpu, EVTCHN_TIMER, expires_ns);
	}
	if (edge == TAKEN_AWAY)
		xen_set_vcpu_timer(vcpu, 0, expires_ns);
	if (edge == PASSED)
		xen_set_vcpu_timer(vcpu, EVTCHN_TIMER, 1);
}

static void run_case(enum edge edge)
{
	struct kvm_clock_data kvmclock;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	gpa_t gpa;
	u64 due;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, upcall_handler);
	gpa = xen_set_up(vm, vcpu);
	if (edge != UNCLOCKED)
		xen_set_vcpu_info(vcpu, gpa);

	irqs = 0;
	late_ns = 0;
	sync_global_to_guest(vm, irqs);
	sync_global_to_guest(vm, late_ns);
	vm_ioctl(vm, KVM_GET_CLOCK, &kvmclock);
	due = kvmclock.clock + AHEAD_NS;
	if (edge == UNRUN)
		xen_set_vcpu_timer(vcpu, EVTCHN_TIMER, due);
	vcpu_args_set(vcpu, 2, (u64)edge, due);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	meanwhile(edge, vcpu, gpa);
	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, late_ns);
	kvm_vm_free(vm);
	ksft_test_result(late_ns >= (edge < SET_AGAIN ? -TOLERANCE_NS : 0), "%s: %ld ns late\n",
			 names[edge], (long)late_ns);
}

int main(int argc, char *argv[])
{
	unsigned int i;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ADJUST_CLOCK));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		run_case(i);
	ksft_finished();
}
