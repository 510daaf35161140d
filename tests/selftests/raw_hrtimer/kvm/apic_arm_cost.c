// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest's TSC deadline costs its host.
 *
 * Cycles that WRMSR of MSR_IA32_TSC_DEADLINE takes a guest, with the VM-Exit: to
 * arm the APIC timer for a time that doesn't come, and to disarm it again.
 */
#include "timer_accuracy.h"

#define WRITES		101
#define FAR_AWAY	1000000000ull

/* Results, written by the guest. */
static u64 arm[WRITES], rearm[WRITES], disarm[WRITES];

static void write_deadline(u64 *took, u64 deadline)
{
	u64 before = rdtsc();

	wrmsr(MSR_IA32_TSC_DEADLINE, deadline);
	*took = rdtsc() - before;
}

static void guest_code(void)
{
	int i;

	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TIMER_VECTOR);
	for (i = 0; i < WRITES; i++) {
		write_deadline(&arm[i], rdtsc() + FAR_AWAY);
		write_deadline(&rearm[i], rdtsc() + FAR_AWAY);
		write_deadline(&disarm[i], 0);
	}
	GUEST_DONE();
}

static s64 median(u64 *took)
{
	qsort(took, WRITES, sizeof(*took), timer_compare);
	return took[WRITES / 2];
}

int main(int argc, char *argv[])
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	s64 a, r, d;

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_TSC_DEADLINE_TIMER));

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, arm);
	sync_global_from_guest(vm, rearm);
	sync_global_from_guest(vm, disarm);
	a = median(arm);
	r = median(rearm);
	d = median(disarm);
	kvm_vm_free(vm);

	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("arm: %ld\n", (long)a);
	ksft_print_msg("rearm: %ld\n", (long)r);
	ksft_print_msg("disarm: %ld\n", (long)d);
	ksft_test_result(a > d, "to arm takes %ld cycles, again %ld, to disarm %ld\n",
			 (long)a, (long)r, (long)d);
	ksft_finished();
}
