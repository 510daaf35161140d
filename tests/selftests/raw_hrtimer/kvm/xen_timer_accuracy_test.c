// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the Xen singleshot timer expires when the PV clock says so.
 *
 * The guest reads the PV clock from its vcpu_info, sets the timer with
 * VCPUOP_set_singleshot_timer, and compares the clock in the upcall's handler
 * with the timeout.
 */
#include <asm/pvclock.h>

#include "timer_accuracy.h"

#define XEN_HYPERCALL_MSR	0x40000000

#define __HYPERVISOR_vcpu_op		24
#define VCPUOP_set_singleshot_timer	8

#define EVTCHN_TIMER		13

#define NS_PER_MS		1000000

struct vcpu_set_singleshot_timer {
	u64 timeout_abs_ns;
	u32 flags;
};

struct vcpu_info {
	u8 evtchn_upcall_pending;
	u8 evtchn_upcall_mask;
	unsigned long evtchn_pending_sel;
	unsigned long arch[2];
	struct pvclock_vcpu_time_info time;
}; /* 64 bytes */

struct shared_info {
	struct vcpu_info vcpu_info[32];
	unsigned long evtchn_pending[64];
	unsigned long evtchn_mask[64];
	/* The rest isn't used. */
};

static struct shared_info *shared_info;
static u64 irq_time;

static u64 pv_clock(void)
{
	struct pvclock_vcpu_time_info *time = &shared_info->vcpu_info[0].time;
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
	struct vcpu_info *info = &shared_info->vcpu_info[0];

	irq_time = pv_clock();
	WRITE_ONCE(info->evtchn_upcall_pending, 0);
	WRITE_ONCE(info->evtchn_pending_sel, 0);
	WRITE_ONCE(shared_info->evtchn_pending[0], 0);
	WRITE_ONCE(guest_timer.irqs, guest_timer.irqs + 1);
}

/* VCPUOPs take three arguments, xen_hypercall() two. */
static u64 xen_vcpu_op(u64 op, u64 vcpu_id, void *arg)
{
	u64 r;

	asm volatile("test %[use_vmmcall], %[use_vmmcall]\n\t"
		     "jnz 1f\n\t"
		     "vmcall\n\t"
		     "jmp 2f\n\t"
		     "1: vmmcall\n\t"
		     "2:"
		     : "=a"(r)
		     : "a"((u64)__HYPERVISOR_vcpu_op), "D"(op), "S"(vcpu_id), "d"(arg),
		       [use_vmmcall]"r"(host_cpu_is_amd_compatible)
		     : "memory", "cc");
	return r;
}

static void guest_code(struct shared_info *page)
{
	struct vcpu_set_singleshot_timer timer = { };
	u64 i;

	cli();
	x2apic_enable();
	shared_info = page;

	for (i = 0; i < guest_timer.samples; i++) {
		timer.timeout_abs_ns = pv_clock() + guest_timer.distance_us * 1000;
		GUEST_ASSERT_EQ(xen_vcpu_op(VCPUOP_set_singleshot_timer, 0, &timer), 0);
		guest_wait_for_irq(i + 1);
		guest_timer.late[i] = irq_time - timer.timeout_abs_ns;
	}
	GUEST_DONE();
}

static void setup_xen(struct kvm_vm *vm, struct kvm_vcpu *vcpu, gpa_t page)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.msr = XEN_HYPERCALL_MSR,
	};
	struct kvm_xen_hvm_attr long_mode = {
		.type = KVM_XEN_ATTR_TYPE_LONG_MODE,
		.u.long_mode = 1,
	};
	struct kvm_xen_hvm_attr shared = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = page / PAGE_SIZE,
	};
	struct kvm_xen_hvm_attr vector = {
		.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = TIMER_VECTOR,
	};
	struct kvm_xen_vcpu_attr info = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = page + offsetof(struct shared_info, vcpu_info[0]),
	};
	struct kvm_xen_vcpu_attr id = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID,
		.u.vcpu_id = vcpu->id,
	};
	struct kvm_xen_vcpu_attr timer = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer.port = EVTCHN_TIMER,
		.u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
	};

	vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &long_mode);
	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &shared);
	vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &vector);
	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &info);
	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &id);
	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &timer);
}

static void test_accuracy(const struct timer_run *run)
{
	struct kvm_vcpu *vcpu;
	gva_t page_gva;
	struct kvm_vm *vm;

	vm = timer_vm_create(&vcpu, guest_code, run);
	vm_install_exception_handler(vm, TIMER_VECTOR, upcall_handler);

	page_gva = vm_alloc_page(vm);
	memset(addr_gva2hva(vm, page_gva), 0, getpagesize());
	setup_xen(vm, vcpu, addr_gva2gpa(vm, page_gva));
	vcpu_args_set(vcpu, 1, page_gva);

	timer_vcpu_run(vcpu);
	timer_report(vm, run, NS_PER_MS);
}

static const struct timer_mode modes[] = {
	{ "singleshot", test_accuracy },
};

/* Without, KVM doesn't believe that the PV clock follows the TSC. */
static bool host_has_constant_tsc(void)
{
	bool found = false;
	char line[8192];
	FILE *file;

	file = fopen("/proc/cpuinfo", "r");
	TEST_ASSERT(file, "Failed to open /proc/cpuinfo");
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " constant_tsc ");
	fclose(file);
	return found;
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());
	TEST_REQUIRE(host_has_constant_tsc());

	timer_main(argc, argv, modes, ARRAY_SIZE(modes));
}
