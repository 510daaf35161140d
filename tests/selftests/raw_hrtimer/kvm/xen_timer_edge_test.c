// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test the Xen timer at the edges of what userspace and a guest can do: it is set
 * before the vCPU has a PV clock, and read and set again and again while it's pending.
 *
 * However it was set, it raises its event once, and not before the PV clock says so.
 */
#include <asm/pvclock.h>

#include "timer_edge.h"

#define __HYPERVISOR_vcpu_op		24
#define VCPUOP_set_singleshot_timer	8

#define EVTCHN_TIMER	13
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

/* What of struct shared_info is used: the first vcpu_info, and two bitmaps. */
struct xen_page {
	u8 upcall_pending, upcall_mask;
	unsigned long pending_sel, arch[2];
	struct pvclock_vcpu_time_info time;
	u8 other_vcpus[31 * 64];
	unsigned long pending[64], mask[64];
};

static struct xen_page *page;
static u64 irq_ns;
static s64 late_ns;

static u64 pv_clock(void)
{
	struct pvclock_vcpu_time_info *time = &page->time;
	unsigned int version;
	u64 ns;

	do {
		version = pvclock_read_begin(time);
		ns = __pvclock_read_cycles(time, rdtsc());
	} while (pvclock_read_retry(time, version));

	return ns;
}

static void upcall_handler(struct ex_regs *regs)
{
	irq_ns = pv_clock();
	WRITE_ONCE(page->upcall_pending, 0);
	WRITE_ONCE(page->pending_sel, 0);
	WRITE_ONCE(page->pending[0], 0);
	WRITE_ONCE(irqs, irqs + 1);
}

static void set_timer(u64 timeout_abs_ns)
{
	struct { u64 timeout_abs_ns; u32 flags; } timer = { timeout_abs_ns };
	u64 r;

	asm volatile("test %[use_vmmcall], %[use_vmmcall]\n\t"
		     "jnz 1f\n\t"
		     "vmcall\n\t"
		     "jmp 2f\n\t"
		     "1: vmmcall\n\t"
		     "2:"
		     : "=a"(r)
		     : "a"((u64)__HYPERVISOR_vcpu_op),
		       "D"((u64)VCPUOP_set_singleshot_timer), "S"(0ull), "d"(&timer),
		       [use_vmmcall]"r"(host_cpu_is_amd_compatible)
		     : "memory", "cc");
	GUEST_ASSERT_EQ(r, 0);
}

static void guest_code(enum edge edge, u64 due)
{
	u64 expected = edge != TAKEN_AWAY;

	cli();
	x2apic_enable();
	if (edge == UNCLOCKED) {
		set_timer(due);
	} else if (edge != UNRUN) {
		due = pv_clock() + AHEAD_NS;
		set_timer(due);
	}
	GUEST_SYNC(0);

	wait_for_irq(expected);
	if (edge < TAKEN_AWAY)
		late_ns = irq_ns - due;
	spin_ms(expected ? 5 : 2 * AHEAD_MS);
	GUEST_ASSERT_EQ(irqs, expected);
	GUEST_DONE();
}

static void set_vcpu_info(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = gpa,
	};

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static void set_vcpu_timer(struct kvm_vcpu *vcpu, u32 port, u64 expires_ns)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer.port = port,
		.u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
		.u.timer.expires_ns = expires_ns,
	};

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

/* KVM stops and starts the timer to read it. */
static u64 vcpu_timer(struct kvm_vcpu *vcpu)
{
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_TIMER };

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, &attr);
	return attr.u.timer.expires_ns;
}

static void set_up_xen(struct kvm_vm *vm, struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.msr = 0x40000000,
	};
	struct kvm_xen_hvm_attr attrs[] = {
		{ .type = KVM_XEN_ATTR_TYPE_LONG_MODE, .u.long_mode = 1 },
		{ .type = KVM_XEN_ATTR_TYPE_SHARED_INFO, .u.shared_info.gfn = gpa / PAGE_SIZE },
		{ .type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR, .u.vector = TIMER_VECTOR },
	};
	struct kvm_xen_vcpu_attr id = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID,
		.u.vcpu_id = vcpu->id,
	};
	unsigned int i;

	vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attrs[i]);
	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &id);
	set_vcpu_timer(vcpu, EVTCHN_TIMER, 0);
}

/* While the timer is pending, or before the vCPU goes on. */
static void meanwhile(enum edge edge, struct kvm_vcpu *vcpu, gpa_t gpa)
{
	u64 expires_ns = vcpu_timer(vcpu);
	int i;

	TEST_ASSERT(expires_ns, "The timer isn't pending");
	if (edge == UNCLOCKED)
		set_vcpu_info(vcpu, gpa);
	for (i = 0; edge == SET_AGAIN && i < TIMES; i++) {
		TEST_ASSERT_EQ(vcpu_timer(vcpu), expires_ns);
		set_vcpu_timer(vcpu, EVTCHN_TIMER, expires_ns);
	}
	if (edge == TAKEN_AWAY)
		set_vcpu_timer(vcpu, 0, expires_ns);
	if (edge == PASSED)
		set_vcpu_timer(vcpu, EVTCHN_TIMER, 1);
}

static void run_case(enum edge edge)
{
	struct kvm_clock_data kvmclock;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	gva_t gva;
	gpa_t gpa;
	u64 due;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, upcall_handler);
	gva = vm_alloc_page(vm);
	gpa = addr_gva2gpa(vm, gva);
	memset(addr_gva2hva(vm, gva), 0, getpagesize());
	set_up_xen(vm, vcpu, gpa);
	if (edge != UNCLOCKED)
		set_vcpu_info(vcpu, gpa);

	page = (void *)gva;
	irqs = 0;
	late_ns = 0;
	sync_global_to_guest(vm, page);
	sync_global_to_guest(vm, irqs);
	sync_global_to_guest(vm, late_ns);
	vm_ioctl(vm, KVM_GET_CLOCK, &kvmclock);
	due = kvmclock.clock + AHEAD_NS;
	if (edge == UNRUN)
		set_vcpu_timer(vcpu, EVTCHN_TIMER, due);
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
