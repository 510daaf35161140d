// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMX-preemption timer of an L2 costs its host.
 *
 * Cycles from L1's VM-Entry until L1 goes on after a VM-Exit that L2 asks for at
 * once: without the timer, and with it set for a time that doesn't come.  What
 * is between the two is what the host takes to arm and to cancel it.
 */
#include "timer_accuracy.h"
#include "vmx.h"

#define ENTRIES		101

/* Results, written by L1. */
static u64 without[ENTRIES], with[ENTRIES];

static void l2_guest_code(void)
{
	for (;;)
		vmcall();
}

/* L2 starts anew each time. */
static void measure(u64 *took, u64 stack)
{
	u64 before;
	int i;

	for (i = 0; i < ENTRIES; i++) {
		GUEST_ASSERT(!vmwrite(GUEST_RIP, (u64)l2_guest_code));
		GUEST_ASSERT(!vmwrite(GUEST_RSP, stack));
		before = rdtsc();
		GUEST_ASSERT(!vmresume());
		took[i] = rdtsc() - before;
		GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_VMCALL);
	}
}

static void l1_guest_code(struct vmx_pages *vmx_pages)
{
	u64 stack;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx_pages));
	GUEST_ASSERT(load_vmcs(vmx_pages));
	prepare_vmcs(vmx_pages, l2_guest_code);
	stack = vmreadz(GUEST_RSP);
	GUEST_ASSERT(!vmlaunch());
	GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_VMCALL);

	measure(without, stack);
	GUEST_ASSERT(!vmwrite(PIN_BASED_VM_EXEC_CONTROL, vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
			      PIN_BASED_VMX_PREEMPTION_TIMER));
	GUEST_ASSERT(!vmwrite(VMX_PREEMPTION_TIMER_VALUE, ~0u));
	measure(with, stack);
	GUEST_DONE();
}

static s64 median(u64 *took)
{
	qsort(took, ENTRIES, sizeof(*took), timer_compare);
	return took[ENTRIES / 2];
}

int main(int argc, char *argv[])
{
	struct kvm_vcpu *vcpu;
	gva_t vmx_pages_gva;
	struct kvm_vm *vm;
	s64 entry, armed;

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX));

	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_args_set(vcpu, 1, vmx_pages_gva);
	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, without);
	sync_global_from_guest(vm, with);
	kvm_vm_free(vm);

	entry = median(without);
	armed = median(with);
	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("entry: %ld\n", (long)entry);
	ksft_print_msg("armed_entry: %ld\n", (long)armed);
	ksft_test_result(armed > entry, "an entry takes %ld cycles, %ld more with the timer\n",
			 (long)entry, (long)(armed - entry));
	ksft_finished();
}
