// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the VMX-preemption timer of an L2 expires when L1's TSC says so.
 *
 * L1 sets the timer and enters L2, which spins or halts.  L1's deadline is what
 * the timer counts down from the TSC that L1 reads before it enters L2, and the
 * TSC after the VM-Exit is compared with it.  When L2 last ran is reported, in
 * relation to the deadline that counts from its own first TSC: that's later than
 * L1's, and L2 stops before L1 goes on, i.e. a limit for L1 holds for L2, too.
 */
#include "timer_accuracy.h"
#include "vmx.h"

static u64 l2_first, l2_last;
static s64 l2_overrun = INT64_MIN;	/* the worst, cycles */

static void l2_guest_code(void)
{
	u64 first = rdtsc();

	WRITE_ONCE(l2_first, first);
	for (;;) {
		WRITE_ONCE(l2_last, rdtsc());
		if (guest_timer.halt)
			asm volatile("hlt");
	}
}

static void l1_guest_code(struct vmx_pages *vmx_pages)
{
	u64 i, before, after, rate, ticks, timer;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx_pages));
	GUEST_ASSERT(load_vmcs(vmx_pages));

	rate = rdmsr(MSR_IA32_VMX_MISC) & VMX_MISC_PREEMPTION_TIMER_RATE_MASK;
	ticks = guest_timer.distance_us * guest_tsc_khz / 1000 >> rate;
	GUEST_ASSERT(!(ticks >> 32));
	timer = ticks << rate;

	for (i = 0; i < guest_timer.samples; i++) {
		/* As for the first time, i.e. L2 starts anew. */
		GUEST_ASSERT(!vmclear(vmx_pages->vmcs_gpa));
		GUEST_ASSERT(!vmptrld(vmx_pages->vmcs_gpa));
		prepare_vmcs(vmx_pages, l2_guest_code);
		GUEST_ASSERT(!vmwrite(PIN_BASED_VM_EXEC_CONTROL,
				      vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
				      PIN_BASED_VMX_PREEMPTION_TIMER));
		GUEST_ASSERT(!vmwrite(VMX_PREEMPTION_TIMER_VALUE, ticks));
		l2_first = 0;
		l2_last = 0;

		before = rdtsc();
		GUEST_ASSERT(!vmlaunch());
		after = rdtsc();

		GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_PREEMPTION_TIMER);
		guest_timer.late[i] = after - ((before >> rate << rate) + timer);

		/* The first time, L2 is held up by EPT violations. */
		if (i && l2_last)
			l2_overrun = max(l2_overrun,
					 (s64)(l2_last - (l2_first >> rate << rate) - timer));
	}
	GUEST_DONE();
}

static void test_accuracy(const struct timer_run *run)
{
	struct kvm_vcpu *vcpu;
	gva_t vmx_pages_gva;
	struct kvm_vm *vm;

	vm = timer_vm_create(&vcpu, l1_guest_code, run);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_args_set(vcpu, 1, vmx_pages_gva);

	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, l2_overrun);
	if (!run->halt && l2_overrun != INT64_MIN)
		ksft_print_msg("L2's last TSC - L2's deadline: %ld cycles at worst\n",
			       (long)l2_overrun);
	timer_report(vm, run, guest_tsc_khz);
}

static const struct timer_mode modes[] = {
	{ "nested", test_accuracy },
};

int main(int argc, char *argv[])
{
	union vmx_ctrl_msr pin;
	union vmx_basic basic;

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX));
	basic.val = kvm_get_feature_msr(MSR_IA32_VMX_BASIC);
	pin.val = kvm_get_feature_msr(basic.ctrl ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
						   MSR_IA32_VMX_PINBASED_CTLS);
	TEST_REQUIRE(pin.clr & PIN_BASED_VMX_PREEMPTION_TIMER);

	timer_main(argc, argv, modes, ARRAY_SIZE(modes));
}
