/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the Xen timer share: the PV clock, the hypercall, and a VM's setup. */
#ifndef SELFTEST_KVM_XEN_TIMER_H
#define SELFTEST_KVM_XEN_TIMER_H

#include <asm/pvclock.h>

#include "timer_guest.h"

#define XEN_HYPERCALL_MSR	0x40000000

#define __HYPERVISOR_vcpu_op		24
#define VCPUOP_set_singleshot_timer	8

#define EVTCHN_TIMER		13

/* What of struct shared_info is used: the first vcpu_info, and two bitmaps. */
struct xen_page {
	u8 upcall_pending, upcall_mask;
	unsigned long pending_sel, arch[2];
	struct pvclock_vcpu_time_info time;
	u8 other_vcpus[31 * 64];
	unsigned long pending[64], mask[64];
};

/* Of the guest. */
static struct xen_page *xen_page;

/* Guest: the PV clock, in nanoseconds. */
static inline u64 xen_clock(void)
{
	struct pvclock_vcpu_time_info *time = &xen_page->time;
	unsigned int version;
	u64 ns;

	do {
		version = pvclock_read_begin(time);
		ns = __pvclock_read_cycles(time, rdtsc());
	} while (pvclock_read_retry(time, version));

	return ns;
}

/* Guest: what the handler of the upcall does about the event. */
static inline void xen_clear_event(void)
{
	WRITE_ONCE(xen_page->upcall_pending, 0);
	WRITE_ONCE(xen_page->pending_sel, 0);
	WRITE_ONCE(xen_page->pending[0], 0);
}

/* Guest: VCPUOPs take three arguments, xen_hypercall() two. */
static inline void xen_set_timer(u64 timeout_abs_ns)
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

static inline void xen_set_vcpu_info(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = gpa,
	};

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static inline void xen_set_vcpu_timer(struct kvm_vcpu *vcpu, u32 port, u64 expires_ns)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_TIMER,
		.u.timer.port = port,
		.u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
		.u.timer.expires_ns = expires_ns,
	};

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

/* Give the VM a page, which is returned, and a timer, but no vcpu_info. */
static inline gpa_t xen_set_up(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	gva_t gva = vm_alloc_page(vm);
	gpa_t gpa = addr_gva2gpa(vm, gva);
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.msr = XEN_HYPERCALL_MSR,
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

	memset(addr_gva2hva(vm, gva), 0, getpagesize());
	xen_page = (void *)gva;
	sync_global_to_guest(vm, xen_page);

	vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		vm_ioctl(vm, KVM_XEN_HVM_SET_ATTR, &attrs[i]);
	vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &id);
	xen_set_vcpu_timer(vcpu, EVTCHN_TIMER, 0);
	return gpa;
}

#endif /* SELFTEST_KVM_XEN_TIMER_H */
