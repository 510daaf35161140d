// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test restoring a vCPU whose VMX-preemption timer is pending.
 *
 * L1 runs L2 with the timer set, userspace saves the vCPU while L2 runs, waits,
 * and restores it into a new VM.  If the deadline has passed on L1's TSC by
 * then, L2 must exit to L1 before it executes an instruction, however long ago
 * that was, and also if L1's TSC has wrapped in between.  If it hasn't, L2 must
 * run until then.
 *
 * If L2 exits before, the value that is saved must be what is left: the timer
 * counts no more than the TSC has advanced by, whatever else is restored, and in
 * whichever order.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"
#include "vmx.h"

/* The rate that KVM emulates, whatever the hardware's is. */
#define TICK_SHIFT	5

/* Far more than L2 takes from its start to being saved. */
static u64 ticks = 1000000;

/* Whether L2 is to exit once it is restored. */
static bool l2_exits;

/* Results, written by the guest. */
static u64 l2_ran;
static u64 deadline, l1_tsc, reason, saved_ticks;

enum stage {
	STAGE_SAVE = 1,
	STAGE_EXIT,
};

static const struct restore_case {
	const char *name;
	bool wrap;		/* L1's TSC, halfway to the deadline */
	bool wait;		/* for the deadline, before restoring */
	u64 skip;		/* that many times the timer, before restoring */
	bool tsc_last;		/* the TSC, which is far ahead, is restored after the rest */
	u64 ahead;		/* the deadline, in cycles, of the TSC that is restored */
} cases[] = {
	{ "deadline to come" },
	{ "deadline to come, TSC wraps", .wrap = true },
	{ "deadline passed", .wait = true },
	{ "deadline passed, TSC wrapped", .wrap = true, .wait = true },
	{ "deadline passed by 2^20 times the timer", .skip = 1ull << 20 },
	{ "deadline to come, TSC restored last", .tsc_last = true },
	{ "deadline passed, TSC restored last", .wait = true, .tsc_last = true },
	{ "deadline beyond 2^64 / 10^6 cycles", .ahead = ~0ull / 1000000 },
};

/* So that the timer doesn't expire before L2 exits, even if that takes its time. */
#define LONG_TICKS	1000000000ull
/* How long L2 has been running when it is saved. */
#define SPENT_CYCLES	1000000000ull
/* L1's TSC, which is nowhere near that of a new VM. */
#define FAR_TSC		BIT_ULL(40)

static const struct value_case {
	const char *name;
	bool tsc_last;		/* no deadline, and the TSC is restored after the rest */
	u32 tsc_percent;	/* L1's TSC frequency, not that of the host */
	u64 tsc_early;		/* the TSC has been read so long before the rest */
} value_cases[] = {
	{ "value" },
	{ "value, no deadline, TSC restored last", .tsc_last = true },
	{ "value, no deadline, TSC and its frequency restored last",
	  .tsc_last = true, .tsc_percent = 90 },
	{ "value, TSC read first", .tsc_early = SPENT_CYCLES },
};

static void l2_guest_code(void)
{
	u64 start;

	GUEST_SYNC(STAGE_SAVE);

	if (READ_ONCE(l2_exits))
		vmcall();

	/* Long enough to see the timer, but don't hang if it's lost. */
	for (start = rdtsc(); rdtsc() - start < ticks << (TICK_SHIFT + 2);)
		WRITE_ONCE(l2_ran, l2_ran + 1);

	vmcall();
}

static void l1_guest_code(struct vmx_pages *vmx_pages)
{
	u64 rate;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx_pages));
	GUEST_ASSERT(load_vmcs(vmx_pages));
	prepare_vmcs(vmx_pages, l2_guest_code);
	GUEST_ASSERT(!vmwrite(PIN_BASED_VM_EXEC_CONTROL,
			      vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
			      PIN_BASED_VMX_PREEMPTION_TIMER));
	if (l2_exits)
		GUEST_ASSERT(!vmwrite(VM_EXIT_CONTROLS,
				      vmreadz(VM_EXIT_CONTROLS) |
				      VM_EXIT_SAVE_VMX_PREEMPTION_TIMER));
	GUEST_ASSERT(!vmwrite(VMX_PREEMPTION_TIMER_VALUE, ticks));

	rate = rdmsr(MSR_IA32_VMX_MISC) & VMX_MISC_PREEMPTION_TIMER_RATE_MASK;
	GUEST_ASSERT_EQ(rate, TICK_SHIFT);
	deadline = ((rdtsc() >> rate) + ticks) << rate;
	GUEST_ASSERT(!vmlaunch());
	l1_tsc = rdtsc();

	reason = vmreadz(VM_EXIT_REASON);
	saved_ticks = vmreadz(VMX_PREEMPTION_TIMER_VALUE);
	GUEST_SYNC(STAGE_EXIT);
}

static void run_until(struct kvm_vcpu *vcpu, enum stage stage)
{
	struct ucall uc;

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
		/* NOT REACHED */
	case UCALL_SYNC:
		TEST_ASSERT(uc.args[1] == stage, "Stage %lu, expected %u",
			    (unsigned long)uc.args[1], stage);
		break;
	default:
		TEST_FAIL("Unknown ucall %lu", uc.cmd);
	}
}

static __u64 *saved_tsc(struct kvm_x86_state *state)
{
	u32 i;

	for (i = 0; i < state->msrs.nmsrs; i++)
		if (state->msrs.entries[i].index == MSR_IA32_TSC)
			return &state->msrs.entries[i].data;

	TEST_FAIL("The TSC isn't part of the state");
	return NULL;
}

static void test_restore(const struct restore_case *c)
{
	u64 exit = c->ahead ? EXIT_REASON_VMCALL : EXIT_REASON_PREEMPTION_TIMER;
	bool pending = !c->wait && !c->skip;
	struct kvm_x86_state *state;
	struct kvm_vcpu *vcpu;
	gva_t vmx_pages_gva;
	struct kvm_vm *vm;
	u64 host_tsc, cycles, tsc;
	s64 late;

	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_args_set(vcpu, 1, vmx_pages_gva);
	if (c->wrap)
		vcpu_set_msr(vcpu, MSR_IA32_TSC, -((ticks << TICK_SHIFT) / 2));
	if (c->tsc_last)
		vcpu_set_msr(vcpu, MSR_IA32_TSC, FAR_TSC);
	l2_ran = 0;
	sync_global_to_guest(vm, l2_ran);
	sync_global_to_guest(vm, ticks);

	run_until(vcpu, STAGE_SAVE);
	state = vcpu_save_state(vcpu);
	host_tsc = rdtsc();
	sync_global_from_guest(vm, deadline);
	kvm_vm_release(vm);

	TEST_ASSERT(state->nested.hdr.vmx.flags & KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE,
		    "The deadline isn't part of the state");
	TEST_ASSERT((s64)(deadline - *saved_tsc(state)) > 0,
		    "The deadline has passed before the vCPU was saved");

	/*
	 * L1's TSC is restored to what it was when it was saved, i.e. advance
	 * it by the time that has passed, as if it had gone on counting.
	 */
	if (c->wait) {
		cycles = deadline - *saved_tsc(state);
		while (rdtsc() - host_tsc <= cycles)
			usleep(1000);
		*saved_tsc(state) += rdtsc() - host_tsc;
	}
	*saved_tsc(state) += c->skip * (ticks << TICK_SHIFT);
	state->nested.hdr.vmx.preemption_timer_deadline += c->ahead >> TICK_SHIFT;

	tsc = *saved_tsc(state);
	if (c->tsc_last)
		*saved_tsc(state) = 0;
	vcpu = vm_recreate_with_one_vcpu(vm);
	vcpu_load_state(vcpu, state);
	kvm_x86_state_cleanup(state);
	if (c->tsc_last)
		vcpu_set_msr(vcpu, MSR_IA32_TSC, tsc);

	run_until(vcpu, STAGE_EXIT);
	sync_global_from_guest(vm, l2_ran);
	sync_global_from_guest(vm, l1_tsc);
	sync_global_from_guest(vm, reason);
	kvm_vm_free(vm);

	late = l1_tsc - deadline;
	ksft_print_msg("%s: exit reason %lu, L1 exit - deadline %ld cycles, L2 ran %lu loops\n",
		       c->name, (unsigned long)reason, (long)late, (unsigned long)l2_ran);
	ksft_test_result(reason == exit && late >= 0 && !!l2_ran == pending, "%s\n", c->name);
}

static void set_tsc_rate(struct kvm_vcpu *vcpu, u32 percent)
{
	u64 khz = __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL);

	vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(khz * percent / 100));
}

static void test_value(const struct value_case *c)
{
	struct kvm_x86_state *state;
	struct kvm_vcpu *vcpu;
	gva_t vmx_pages_gva;
	struct kvm_vm *vm;
	u64 start, cycles, tsc;
	s64 least;

	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_args_set(vcpu, 1, vmx_pages_gva);
	if (c->tsc_percent)
		set_tsc_rate(vcpu, c->tsc_percent);
	vcpu_set_msr(vcpu, MSR_IA32_TSC, FAR_TSC);
	write_guest_global(vm, ticks, LONG_TICKS);
	write_guest_global(vm, l2_exits, true);

	start = rdtsc();
	run_until(vcpu, STAGE_SAVE);
	for (tsc = rdtsc(); rdtsc() - tsc < SPENT_CYCLES;)
		usleep(1000);
	state = vcpu_save_state(vcpu);
	cycles = rdtsc() - start;
	kvm_vm_release(vm);

	*saved_tsc(state) -= c->tsc_early;
	tsc = *saved_tsc(state);
	if (c->tsc_last) {
		state->nested.hdr.vmx.flags &= ~KVM_STATE_VMX_PREEMPTION_TIMER_DEADLINE;
		*saved_tsc(state) = 0;
	}

	vcpu = vm_recreate_with_one_vcpu(vm);
	start = rdtsc();
	vcpu_load_state(vcpu, state);
	kvm_x86_state_cleanup(state);
	if (c->tsc_percent)
		set_tsc_rate(vcpu, c->tsc_percent);
	if (c->tsc_last)
		vcpu_set_msr(vcpu, MSR_IA32_TSC, tsc);

	run_until(vcpu, STAGE_EXIT);
	cycles += rdtsc() - start;
	sync_global_from_guest(vm, reason);
	sync_global_from_guest(vm, saved_ticks);
	kvm_vm_free(vm);

	/*
	 * L1's TSC isn't faster than the host's.  A tick that isn't over may have
	 * been, before L2 was saved and after.
	 */
	least = (s64)LONG_TICKS - (s64)((cycles - c->tsc_early) >> TICK_SHIFT) - 2;
	ksft_print_msg("%s: exit reason %lu, %lu ticks left, at least %ld of %lu\n",
		       c->name, (unsigned long)reason, (unsigned long)saved_ticks,
		       (long)least, (unsigned long)LONG_TICKS);
	ksft_test_result(reason == EXIT_REASON_VMCALL && (s64)saved_ticks >= least &&
			 saved_ticks <= LONG_TICKS, "%s\n", c->name);
}

static bool can_test_value(const struct value_case *c)
{
	union vmx_ctrl_msr exit;
	union vmx_basic basic;

	basic.val = kvm_get_feature_msr(MSR_IA32_VMX_BASIC);
	exit.val = kvm_get_feature_msr(basic.ctrl ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
						    MSR_IA32_VMX_EXIT_CTLS);

	return (exit.clr & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER) &&
	       (!c->tsc_percent || kvm_has_cap(KVM_CAP_TSC_CONTROL));
}

static void help(const char *name)
{
	printf("usage: %s [--ticks N]\n\n"
	       " --ticks: what L1 sets the timer to (default %lu)\n",
	       name, (unsigned long)ticks);
	exit(KSFT_FAIL);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "ticks", required_argument, NULL, 't' },
		{ }
	};
	int opt, i;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 't')
			help(argv[0]);
		ticks = atoi_positive("Ticks", optarg);
	}

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_NESTED_STATE));

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases) + ARRAY_SIZE(value_cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_restore(&cases[i]);
	for (i = 0; i < ARRAY_SIZE(value_cases); i++) {
		if (can_test_value(&value_cases[i]))
			test_value(&value_cases[i]);
		else
			ksft_test_result_skip("%s\n", value_cases[i].name);
	}
	ksft_finished();
}
