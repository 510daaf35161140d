// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test the saving of the VMX-preemption timer value on VM-Exit.
 *
 * L1 sets the timer once and then resumes L2, which exits many times, with the
 * value that each exit saves, until the timer expires.  The timer counts down
 * by one each time that bit X of L1's TSC changes while L2 runs.  L1 and L2
 * read the TSC around each VM-Enter and VM-Exit, i.e. bound what the timer may
 * have counted from above and from below, and none of the bounds depends on how
 * fast anything is.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"
#include "timer_guest.h"
#include "timer_skew.h"
#include "vmx.h"

/* Arguments, written by the host. */
static u64 ticks = 10000000;
static u64 exits = 1000;

/* Results, written by L1. */
static struct {
	u64 exits;
	u64 reason;
	u64 raised;		/* exits after which the value was higher */
	u64 max_raise;		/* ticks */
	u64 too_much;		/* exits at which more than possible was counted */
	u64 max_too_much;	/* ticks */
	u64 too_little;		/* exits at which less than possible was counted */
	u64 max_too_little;	/* ticks */
	u64 max_uncertainty;	/* ticks, between both bounds */
	u64 last_value;
	u64 most;		/* ticks that L2 may have run for in all */
	u64 least;		/* ticks that L2 has run for in all */
	u64 l1_tsc;		/* after the expiry */
	u64 l2_tsc;		/* L2's last */
	u64 deadline;		/* of the last VM-Enter, in cycles */
	u64 rate;
} result;

/* L2's first and last TSC since it was entered, and how long it is to run. */
static u64 l2_first, l2_last, l2_cycles;

static void l2_guest_code(void)
{
	u64 first, last;

	for (;;) {
		first = rdtsc();
		WRITE_ONCE(l2_first, first);
		do {
			last = rdtsc();
			WRITE_ONCE(l2_last, last);
		} while (last - first < READ_ONCE(l2_cycles));
		vmcall();
	}
}

static void account(u64 before, u64 after, u64 set, u64 saved)
{
	u64 most = (after >> result.rate) - (before >> result.rate);
	u64 least = !l2_last ? 0 : (l2_last >> result.rate) - (l2_first >> result.rate);
	u64 counted = set - saved;

	result.most += most;
	result.least += least;
	result.max_uncertainty = max(result.max_uncertainty, most - least);

	if (saved > set) {
		result.raised++;
		result.max_raise = max(result.max_raise, saved - set);
	} else if (counted > most) {
		result.too_much++;
		result.max_too_much = max(result.max_too_much, counted - most);
	} else if (counted < least) {
		result.too_little++;
		result.max_too_little = max(result.max_too_little, least - counted);
	}
}

static void enable_preemption_timer(void)
{
	GUEST_ASSERT(!vmwrite(PIN_BASED_VM_EXEC_CONTROL,
			      vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
			      PIN_BASED_VMX_PREEMPTION_TIMER));
	GUEST_ASSERT(!vmwrite(VM_EXIT_CONTROLS,
			      vmreadz(VM_EXIT_CONTROLS) |
			      VM_EXIT_SAVE_VMX_PREEMPTION_TIMER));
}

static void l1_guest_code(struct vmx_pages *vmx_pages)
{
	u64 before, after, set, saved = ticks;

	GUEST_ASSERT(prepare_for_vmx_operation(vmx_pages));
	GUEST_ASSERT(load_vmcs(vmx_pages));
	prepare_vmcs(vmx_pages, l2_guest_code);
	enable_preemption_timer();

	/* The exits themselves take time, too, leave the most of it to them. */
	result.rate = rdmsr(MSR_IA32_VMX_MISC) & VMX_MISC_PREEMPTION_TIMER_RATE_MASK;
	l2_cycles = (ticks << result.rate) / 4 / exits;

	for (;;) {
		set = saved;
		GUEST_ASSERT(!vmwrite(VMX_PREEMPTION_TIMER_VALUE, set));

		/* L2 may not get to read the TSC twice. */
		l2_first = 0;
		l2_last = 0;

		before = rdtsc();
		if (result.exits)
			GUEST_ASSERT(!vmresume());
		else
			GUEST_ASSERT(!vmlaunch());
		after = rdtsc();

		saved = vmreadz(VMX_PREEMPTION_TIMER_VALUE);
		result.reason = vmreadz(VM_EXIT_REASON);
		if (result.reason != EXIT_REASON_VMCALL)
			break;

		account(before, after, set, saved);

		/* From the last exit on, L2 waits for the expiry. */
		if (++result.exits == exits)
			l2_cycles = ~0ull;
		GUEST_ASSERT(!vmwrite(GUEST_RIP, vmreadz(GUEST_RIP) +
				      vmreadz(VM_EXIT_INSTRUCTION_LEN)));
	}

	result.most += (after >> result.rate) - (before >> result.rate);
	if (l2_last)
		result.least += (l2_last >> result.rate) - (l2_first >> result.rate);
	result.last_value = saved;
	result.deadline = ((before >> result.rate) + set) << result.rate;
	result.l1_tsc = after;
	result.l2_tsc = l2_last;
	GUEST_DONE();
}

static bool has_save_control(void)
{
	union vmx_ctrl_msr pin, exit;
	union vmx_basic basic;

	basic.val = kvm_get_feature_msr(MSR_IA32_VMX_BASIC);
	pin.val = kvm_get_feature_msr(basic.ctrl ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
						   MSR_IA32_VMX_PINBASED_CTLS);
	exit.val = kvm_get_feature_msr(basic.ctrl ? MSR_IA32_VMX_TRUE_EXIT_CTLS :
						    MSR_IA32_VMX_EXIT_CTLS);

	return (pin.clr & PIN_BASED_VMX_PREEMPTION_TIMER) &&
	       (exit.clr & VM_EXIT_SAVE_VMX_PREEMPTION_TIMER);
}

static void set_tsc_rate(struct kvm_vcpu *vcpu, u32 percent)
{
	u64 khz = __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL);

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_CONTROL));
	vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(khz * percent / 100));
}

static void run(u32 tsc_percent)
{
	struct kvm_vcpu *vcpu;
	gva_t vmx_pages_gva;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_args_set(vcpu, 1, vmx_pages_gva);
	if (tsc_percent)
		set_tsc_rate(vcpu, tsc_percent);
	sync_global_to_guest(vm, ticks);
	sync_global_to_guest(vm, exits);

	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, result);
	kvm_vm_free(vm);
}

static void help(const char *name)
{
	printf("usage: %s [--ticks N] [--exits N] [--max-late CYCLES] [--tsc-percent N]\n"
	       "          [--exact]\n\n"
	       " --ticks:       what L1 sets the timer to (default %lu)\n"
	       " --exits:       of L2, before it waits for the expiry (default %lu)\n"
	       " --max-late:    fail if L1 sees the expiry later (default: any is fine)\n"
	       " --tsc-percent: rate of L1's TSC, of the host's (default: no scaling)\n"
	       " --exact:       don't allow for what NTP makes the timer early by\n",
	       name, (unsigned long)ticks, (unsigned long)exits);
	exit(KSFT_FAIL);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "ticks", required_argument, NULL, 't' },
		{ "exits", required_argument, NULL, 'e' },
		{ "max-late", required_argument, NULL, 'l' },
		{ "tsc-percent", required_argument, NULL, 's' },
		{ "exact", no_argument, NULL, 'x' },
		{ }
	};
	u32 max_late = 0, tsc_percent = 0;
	struct timer_skew skew;
	s64 late, allowed = 0;
	bool exact = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			ticks = atoi_positive("Ticks", optarg);
			break;
		case 'e':
			exits = atoi_positive("Exits", optarg);
			break;
		case 'l':
			max_late = atoi_positive("Cycles", optarg);
			break;
		case 's':
			tsc_percent = atoi_positive("Percent", optarg);
			break;
		case 'x':
			exact = true;
			break;
		default:
			help(argv[0]);
		}
	}

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX));
	TEST_REQUIRE(has_save_control());

	ksft_print_header();
	ksft_set_plan(6);

	timer_skew_start(&skew);
	run(tsc_percent);
	late = result.l1_tsc - result.deadline;
	if (!exact)
		allowed = ticks * timer_skew_ppm(&skew) / 1000000 + 1;

	ksft_print_msg("%lu ticks of 2^%lu cycles set, %lu exits, bounds %lu ticks apart at most\n",
		       (unsigned long)ticks, (unsigned long)result.rate,
		       (unsigned long)result.exits, (unsigned long)result.max_uncertainty);
	ksft_print_msg("L2 ran for %lu to %lu ticks\n",
		       (unsigned long)result.least, (unsigned long)result.most);
	ksft_print_msg("L1 exit - deadline %ld cycles, L2 last TSC - deadline %ld cycles\n",
		       (long)late, (long)(result.l2_tsc - result.deadline));

	ksft_test_result(result.exits == exits && result.reason == EXIT_REASON_PREEMPTION_TIMER,
			 "expiry after all exits (%lu, reason %lu)\n",
			 (unsigned long)result.exits, (unsigned long)result.reason);
	ksft_test_result(!result.raised,
			 "saved value never above the one set (%lu times, %lu ticks)\n",
			 (unsigned long)result.raised, (unsigned long)result.max_raise);
	ksft_test_result(result.max_too_much <= 1 && result.max_too_little <= 1,
			 "saved value agrees with the TSC (%lu times %lu ticks low, %lu times %lu ticks high)\n",
			 (unsigned long)result.too_much, (unsigned long)result.max_too_much,
			 (unsigned long)result.too_little, (unsigned long)result.max_too_little);
	ksft_test_result(!result.last_value, "saved value zero on expiry (%lu)\n",
			 (unsigned long)result.last_value);
	ksft_test_result(late >= -(allowed << result.rate) && result.most + allowed >= ticks,
			 "never early, but by NTP (%ld cycles, %ld allowed)\n", (long)late,
			 (long)(allowed << result.rate));
	if (max_late)
		ksft_test_result(late <= max_late, "late by at most %u cycles (%ld)\n",
				 max_late, (long)late);
	else
		ksft_test_result_skip("no limit given for being late (%ld cycles)\n", (long)late);

	ksft_finished();
}
