// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test an L2's VMX-preemption timer beside the vCPU's APIC timer.
 *
 * KVM may run both in the same timer of the hardware, and in hrtimers while the
 * vCPU is halted: whichever of the two is due first, neither may be early or lost,
 * and one L2's must not be taken for another's.
 *
 * How late the timers are is reported, and is a failure only if it's by as much
 * as they are apart, i.e. it doesn't matter at which rate the host's clocks run.
 * They may be early by what NTP makes of the time until they are due, as KVM may
 * run them in hrtimers, unless --exact is given.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "apic.h"
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "smm.h"
#include "test_util.h"
#include "timer_skew.h"
#include "vmx.h"

#define TIMER_VECTOR	0xec
#define TICK_SHIFT	5
#define SAMPLES		5

#define SMRAM_GPA	0x1000000
#define SMI_PORT	0xe
#define SMI_EVERY_US	3000

/* In real-address mode. */
static const u8 smi_handler[] = {
	0xe4, SMI_PORT,		/* in $SMI_PORT, %al */
	0x0f, 0xaa,		/* rsm */
};

static const struct timer_case {
	const char *name;
	u64 l2_us, apic_us;	/* until the timers are due; zero: there's none */
	bool halt;		/* L2, instead of spinning */
	bool move;		/* the vCPU, between CPUs */
	bool other;		/* run an L2 without the timer in between */
	bool two;		/* run another L2 in turn, with a timer of twice the time */
	bool smi;		/* leave L2 for SMM now and then */
	u32 tsc_percent;	/* L1's TSC frequency, of the host's */
	u32 l2_tsc_shift;	/* L2's TSC frequency, of L1's, in powers of two */
} cases[] = {
	{ "L2's timer", 20000 },
	{ "L2's timer, halted", 20000, .halt = true },
	{ "L2's timer, then the APIC's", 10000, 20000 },
	{ "the APIC timer, then L2's", 20000, 10000 },
	{ "the APIC timer, then L2's, halted", 20000, 10000, .halt = true },
	{ "both at once", 20000, 20000 },
	{ "both at once, halted", 20000, 20000, .halt = true },
	{ "L2's timer, the APIC's right after", 20000, 20001 },
	{ "the APIC timer, L2's right after", 20001, 20000 },
	{ "L2's timer, an L2 without in between", 10000, .other = true },
	{ "two L2s in turn, a timer each", 10000, .two = true },
	{ "two L2s in turn, a timer each, halted", 10000, .two = true, .halt = true },
	{ "L2's timer, left for SMM", 20000, .smi = true },
	{ "both at once, moved", 20000, 20000, .move = true },
	{ "the APIC timer, then L2's, moved", 40000, 20000, .move = true },
	{ "the APIC timer, then L2's, halted, moved", 40000, 20000, .halt = true, .move = true },
	{ "the APIC timer, then L2's, slower TSC", 20000, 10000, .tsc_percent = 75 },
	{ "the APIC timer, then L2's, faster TSC", 20000, 10000, .tsc_percent = 150 },
	{ "the APIC timer, then L2's, faster L2 TSC", 20000, 10000, .l2_tsc_shift = 1 },
	{ "L2's timer, then the APIC's, slower TSC, faster L2 TSC", 10000, 20000,
	  .tsc_percent = 75, .l2_tsc_shift = 1 },
};

/* What the guest is told, and what it tells: cycles, at worst. */
static struct timer_case c;
static s64 l2_late[2], apic_late[2];	/* least and most */
static u64 irqs, irq_tsc, l2_first, l2_last;
static s64 l2_overrun;
static bool in_l2;

/* The host's own. */
static bool done;
static u32 smis;
static bool exact;

static u64 us_to_cycles(u64 us)
{
	return us * guest_tsc_khz / 1000;
}

static void account(s64 *late, s64 cycles)
{
	late[0] = min(late[0], cycles);
	late[1] = max(late[1], cycles);
}

/* L1's TSC, also where L2 reads it. */
static u64 l1_tsc(void)
{
	return rdtsc() >> (in_l2 ? c.l2_tsc_shift : 0);
}

static void timer_handler(struct ex_regs *regs)
{
	irq_tsc = l1_tsc();
	WRITE_ONCE(irqs, irqs + 1);

	/* L1 intercepts the MSRs of L2, i.e. L2 would exit. */
	if (!in_l2)
		x2apic_write_reg(APIC_EOI, 0);
}

/* L2 was interrupted, and may have exited anywhere in the handler since. */
static void complete_l2_irq(u64 seen, u64 now)
{
	u32 isr = x2apic_read_reg(APIC_ISR + TIMER_VECTOR / 32 * 0x10);

	if (!(isr & BIT(TIMER_VECTOR % 32)))
		return;

	if (irqs == seen) {
		irq_tsc = now;
		irqs++;
	}
	x2apic_write_reg(APIC_EOI, 0);
}

static void l2_guest_code(void)
{
	u64 first = l1_tsc();

	WRITE_ONCE(l2_first, first);
	for (;;) {
		WRITE_ONCE(l2_last, l1_tsc());
		if (c.halt) {
			safe_halt();
		} else {
			sti();
			cpu_relax();
		}
		cli();
	}
}

static void l2_other_code(void)
{
	u64 start = rdtsc();

	while (rdtsc() - start < 2 * us_to_cycles(c.l2_us))
		cpu_relax();
	vmcall();
}

static void prepare_l2(struct vmx_pages *vmx_pages, void *code)
{
	GUEST_ASSERT(!vmclear(vmx_pages->vmcs_gpa));
	GUEST_ASSERT(!vmptrld(vmx_pages->vmcs_gpa));
	prepare_vmcs(vmx_pages, code);
}

/* By a power of two, so that L1's TSC can be told from L2's. */
static void scale_l2_tsc(u32 shift)
{
	u64 multiplier = BIT_ULL(48 + shift);

	GUEST_ASSERT(!vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmreadz(CPU_BASED_VM_EXEC_CONTROL) |
			      CPU_BASED_USE_TSC_OFFSETTING |
			      CPU_BASED_ACTIVATE_SECONDARY_CONTROLS));
	GUEST_ASSERT(!vmwrite(SECONDARY_VM_EXEC_CONTROL, vmreadz(SECONDARY_VM_EXEC_CONTROL) |
			      SECONDARY_EXEC_TSC_SCALING));
	GUEST_ASSERT(!vmwrite(TSC_OFFSET, 0));
	GUEST_ASSERT(!vmwrite(TSC_MULTIPLIER, multiplier));
}

static void run_other_l2(struct vmx_pages *vmx_pages)
{
	prepare_l2(vmx_pages, l2_other_code);
	GUEST_ASSERT(!vmlaunch());
	GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_VMCALL);
}

static void run_l2(struct vmx_pages *vmx_pages, u64 ticks)
{
	u64 before, after, deadline, apic_deadline = 0, seen = irqs;

	prepare_l2(vmx_pages, l2_guest_code);
	GUEST_ASSERT(!vmwrite(PIN_BASED_VM_EXEC_CONTROL,
			      vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
			      PIN_BASED_VMX_PREEMPTION_TIMER));
	GUEST_ASSERT(!vmwrite(VMX_PREEMPTION_TIMER_VALUE, ticks));
	if (c.l2_tsc_shift)
		scale_l2_tsc(c.l2_tsc_shift);

	before = rdtsc();
	deadline = ((before >> TICK_SHIFT) + ticks) << TICK_SHIFT;
	if (c.apic_us) {
		apic_deadline = before + us_to_cycles(c.apic_us);
		wrmsr(MSR_IA32_TSC_DEADLINE, apic_deadline);
	}
	in_l2 = true;
	GUEST_ASSERT(!vmlaunch());
	after = rdtsc();
	in_l2 = false;
	complete_l2_irq(seen, after);

	GUEST_ASSERT_EQ(vmreadz(VM_EXIT_REASON), EXIT_REASON_PREEMPTION_TIMER);
	account(l2_late, after - deadline);

	/* L2's own deadline counts from its first TSC, which is later than L1's. */
	l2_overrun = max(l2_overrun, (s64)(l2_last - (((l2_first >> TICK_SHIFT) + ticks) <<
						      TICK_SHIFT)));
	if (!apic_deadline)
		return;

	while (READ_ONCE(irqs) == seen) {
		GUEST_ASSERT(rdtsc() < apic_deadline + us_to_cycles(1000000));
		sti();
		cpu_relax();
		cli();
	}
	account(apic_late, irq_tsc - apic_deadline);
}

static void l1_guest_code(struct vmx_pages *vmx_pages, struct vmx_pages *second)
{
	u64 rate = rdmsr(MSR_IA32_VMX_MISC) & VMX_MISC_PREEMPTION_TIMER_RATE_MASK;
	u64 i, ticks = us_to_cycles(c.l2_us) >> TICK_SHIFT;

	GUEST_ASSERT_EQ(rate, TICK_SHIFT);
	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TIMER_VECTOR);
	GUEST_ASSERT(prepare_for_vmx_operation(vmx_pages));
	GUEST_ASSERT(load_vmcs(vmx_pages));
	*(u32 *)second->vmcs = vmcs_revision();

	for (i = 0; i < SAMPLES; i++) {
		run_l2(vmx_pages, ticks);
		/* The first time, L2 is held up by EPT violations. */
		if (!i)
			l2_overrun = INT64_MIN;
		if (c.other)
			run_other_l2(vmx_pages);
		if (c.two)
			run_l2(second, 2 * ticks);
	}
	GUEST_DONE();
}

static void *move(void *data)
{
	pthread_t thread = *(pthread_t *)data;
	cpu_set_t cpus;
	int cpu = 0;

	while (!READ_ONCE(done)) {
		CPU_ZERO(&cpus);
		CPU_SET(cpu ^= 1, &cpus);
		pthread_setaffinity_np(thread, sizeof(cpus), &cpus);
		usleep(3000);
	}
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	CPU_SET(1, &cpus);
	pthread_setaffinity_np(thread, sizeof(cpus), &cpus);
	return NULL;
}

static void set_alarm(u32 us)
{
	struct itimerval timer = {
		.it_interval.tv_usec = us,
		.it_value.tv_usec = us,
	};

	TEST_ASSERT(!setitimer(ITIMER_REAL, &timer, NULL), "setitimer()");
}

static void alarm_handler(int signal)
{
}

/* Until the guest is done, with an SMI each time that the alarm interrupts KVM_RUN. */
static void run_vcpu(struct kvm_vcpu *vcpu, bool smi)
{
	struct kvm_run *run = vcpu->run;
	bool in_smm = false;

	for (smis = 0;;) {
		if (!__vcpu_run(vcpu)) {
			if (run->exit_reason != KVM_EXIT_IO || run->io.port != SMI_PORT)
				return;
			smis++;
			in_smm = false;
			continue;
		}
		TEST_ASSERT(errno == EINTR && smi, KVM_IOCTL_ERROR(KVM_RUN, -1));
		if (!in_smm)
			inject_smi(vcpu);
		in_smm = true;
	}
}

static void set_tsc_rate(struct kvm_vcpu *vcpu, u32 percent)
{
	guest_tsc_khz = (u64)guest_tsc_khz * percent / 100;
	vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(unsigned long)guest_tsc_khz);
	sync_global_to_guest(vcpu->vm, guest_tsc_khz);
}

static void test_timers(const struct timer_case *test)
{
	u64 apart_us = test->apic_us ? max(test->l2_us, test->apic_us) / 2 : test->l2_us / 2;
	u32 khz = guest_tsc_khz;
	pthread_t self = pthread_self(), mover;
	struct kvm_vcpu *vcpu;
	struct timer_skew skew;
	gva_t vmx_pages_gva, second_gva;
	struct kvm_vm *vm;
	struct ucall uc;
	s64 most, allowed = 0;

	timer_skew_start(&skew);
	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	if (test->tsc_percent)
		set_tsc_rate(vcpu, test->tsc_percent);
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vcpu_alloc_vmx(vm, &vmx_pages_gva);
	vcpu_alloc_vmx(vm, &second_gva);
	vcpu_args_set(vcpu, 2, vmx_pages_gva, second_gva);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	if (test->smi)
		setup_smram(vm, vcpu, SMRAM_GPA, smi_handler, sizeof(smi_handler));
	l2_late[0] = INT64_MAX;
	l2_late[1] = INT64_MIN;
	memcpy(apic_late, l2_late, sizeof(apic_late));
	irqs = 0;
	l2_overrun = INT64_MIN;
	c = *test;
	sync_global_to_guest(vm, c);
	sync_global_to_guest(vm, irqs);
	sync_global_to_guest(vm, l2_late);
	sync_global_to_guest(vm, apic_late);
	sync_global_to_guest(vm, l2_overrun);

	done = false;
	if (test->move)
		pthread_create(&mover, NULL, move, &self);
	if (test->smi)
		set_alarm(SMI_EVERY_US);
	run_vcpu(vcpu, test->smi);
	if (test->smi)
		set_alarm(0);
	WRITE_ONCE(done, true);
	if (test->move)
		pthread_join(mover, NULL);

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT_EQ(uc.cmd, UCALL_DONE);
	sync_global_from_guest(vm, irqs);
	sync_global_from_guest(vm, l2_late);
	sync_global_from_guest(vm, apic_late);
	sync_global_from_guest(vm, l2_overrun);
	most = us_to_cycles(apart_us);
	if (!exact)
		allowed = us_to_cycles(max(test->l2_us << test->two, test->apic_us)) *
			  timer_skew_ppm(&skew) / 1000000 + 1;
	kvm_vm_free(vm);
	guest_tsc_khz = khz;

	ksft_print_msg("%s: L2's timer is late by %ld to %ld cycles\n", test->name,
		       (long)l2_late[0], (long)l2_late[1]);
	if (!test->halt)
		ksft_print_msg("%s: L2's last TSC - L2's deadline: %ld cycles at worst\n",
			       test->name, (long)l2_overrun);
	if (test->smi)
		ksft_print_msg("%s: left for SMM %u times\n", test->name, smis);
	if (test->apic_us)
		ksft_print_msg("%s: the APIC's is late by %ld to %ld cycles\n", test->name,
			       (long)apic_late[0], (long)apic_late[1]);
	ksft_test_result(l2_late[0] >= -allowed && l2_late[1] < most && (!test->smi || smis) &&
			 (!test->apic_us || (apic_late[0] >= -allowed && apic_late[1] < most &&
					     irqs == SAMPLES)), "%s\n", test->name);
}

static bool can_test(const struct timer_case *test)
{
	return (!test->move || sysconf(_SC_NPROCESSORS_ONLN) > 1) &&
	       (!test->smi || kvm_has_cap(KVM_CAP_X86_SMM)) &&
	       ((!test->tsc_percent && !test->l2_tsc_shift) || kvm_has_cap(KVM_CAP_TSC_CONTROL));
}

int main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = alarm_handler };
	union vmx_ctrl_msr pin;
	union vmx_basic basic;
	int i;

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));
	basic.val = kvm_get_feature_msr(MSR_IA32_VMX_BASIC);
	pin.val = kvm_get_feature_msr(basic.ctrl ? MSR_IA32_VMX_TRUE_PINBASED_CTLS :
						   MSR_IA32_VMX_PINBASED_CTLS);
	TEST_REQUIRE(pin.clr & PIN_BASED_VMX_PREEMPTION_TIMER);

	exact = argc == 2 && !strcmp(argv[1], "--exact");
	TEST_ASSERT(argc == 1 || exact, "usage: %s [--exact]", argv[0]);

	sigaction(SIGALRM, &action, NULL);
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (can_test(&cases[i]))
			test_timers(&cases[i]);
		else
			ksft_test_result_skip("%s\n", cases[i].name);
	}
	ksft_finished();
}
