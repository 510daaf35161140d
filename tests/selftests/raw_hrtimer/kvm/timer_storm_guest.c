// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that never stops arming timers, for storms around it.
 *
 * L1 keeps an APIC timer, a Hyper-V synthetic timer and, with VMX, the timer of
 * the L2 that it runs, each set for a random time ahead as soon as it has
 * expired.  L2 spins, or halts with --halt, which takes less of a machine whose
 * every instruction is emulated.  How many timers were early, and how many didn't come
 * within a patience of their own, is told when the program ends: after so many
 * timers, or on SIGTERM.  It may as well be killed.
 *
 * With --move its thread goes from CPU to CPU meanwhile.
 *
 * With --hostile L1 sets the timers to the shortest and longest values instead,
 * as fast as it can, and shows at the end that they still work.
 */
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "hyperv.h"
#include "svm_util.h"
#include "timer_accuracy.h"
#include "vmx.h"

#define APIC_VECTOR	TIMER_VECTOR
#define STIMER_VECTOR	0xed

#define STIMER_ENABLE		BIT_ULL(0)
#define STIMER_AUTO_ENABLE	BIT_ULL(3)
#define STIMER_DIRECT		BIT_ULL(12)
#define STIMER_CONFIG		(STIMER_AUTO_ENABLE | STIMER_DIRECT | (u64)STIMER_VECTOR << 4)

/* A timer that is so late is lost: machines may be suspended meanwhile. */
#define PATIENCE_S	20

enum { APIC, STIMER, NESTED, TIMERS };

static const char * const names[TIMERS] = { "apic", "stimer", "nested" };

/* Arguments, written by the host. */
static u64 used = BIT(APIC) | BIT(STIMER) | BIT(NESTED);
static u64 starts_wanted;		/* 0: until told to stop */
static u64 shortest_us = 1, longest_us = 5000;
static u64 halts;
static u64 hostile;
static u64 seed = 1;
static u64 stop;

/* Results, written by L1. */
static struct timer {
	u64 due;			/* APIC, NESTED: TSC; STIMER: units of 100 ns */
	u64 armed, starts, fires, early, lost, latest;
} timers[TIMERS];

struct tsc_page {
	u32 sequence;
	u32 reserved;
	u64 scale;
	s64 offset;
};

static struct tsc_page *tsc_page;
static u64 cycles_per_us, pt_rate, state, l2_stack;
static bool launched;

/* As the TLFS has it: the page, unless the host has taken it back. */
static u64 reference_time(void)
{
	u64 scale, tsc;
	s64 offset;
	u32 sequence;

	do {
		sequence = READ_ONCE(tsc_page->sequence);
		if (!sequence)
			return rdmsr(HV_X64_MSR_TIME_REF_COUNT);
		tsc = rdtsc();
		scale = READ_ONCE(tsc_page->scale);
		offset = READ_ONCE(tsc_page->offset);
	} while (READ_ONCE(tsc_page->sequence) != sequence);

	return ((__uint128_t)tsc * scale >> 64) + offset;
}

static u64 now_of(int id)
{
	return id == STIMER ? reference_time() : rdtsc();
}

static u64 per_us(int id)
{
	return id == STIMER ? 10 : cycles_per_us;
}

/* xorshift64, by Marsaglia */
static u64 random_u64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* As many of each order of magnitude. */
static u64 random_us(void)
{
	u64 range = max(longest_us >> (random_u64() % 12), shortest_us) - shortest_us;

	return shortest_us + random_u64() % (range + 1);
}

static void fired(int id)
{
	struct timer *t = &timers[id];
	u64 now = now_of(id);

	t->armed = false;
	t->fires++;
	if (now < t->due)
		t->early++;
	else
		t->latest = max(t->latest, now - t->due);
}

static void apic_handler(struct ex_regs *regs)
{
	if (!hostile)
		fired(APIC);
	x2apic_write_reg(APIC_EOI, 0);
}

static void stimer_handler(struct ex_regs *regs)
{
	if (!hostile)
		fired(STIMER);
	x2apic_write_reg(APIC_EOI, 0);
}

/* With interrupts disabled. */
static void start(int id)
{
	struct timer *t = &timers[id];

	t->due = now_of(id) + random_us() * per_us(id);
	t->armed = true;
	t->starts++;
	if (id == APIC)
		wrmsr(MSR_IA32_TSC_DEADLINE, t->due);
	else if (id == STIMER)
		wrmsr(HV_X64_MSR_STIMER0_COUNT, t->due);
	else	/* a multiple of what the timer counts in */
		t->due = t->due >> pt_rate << pt_rate;
}

static void give_up(int id)
{
	timers[id].armed = false;
	timers[id].lost++;
}

/* Longer than any timer may take; who comes to an end here has lost one. */
static void l2_guest_code(void)
{
	u64 start = rdtsc();

	while (rdtsc() - start < longest_us * cycles_per_us +
	       PATIENCE_S * 1000000ull * cycles_per_us) {
		if (halts)
			asm volatile("hlt");
		else
			cpu_relax();
	}
	if (this_cpu_has(X86_FEATURE_VMX))
		vmcall();
	else
		asm volatile("vmmcall");
}

static void set_up_vmx(struct vmx_pages *vmx)
{
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	prepare_vmcs(vmx, l2_guest_code);
	l2_stack = vmreadz(GUEST_RSP);
	pt_rate = rdmsr(MSR_IA32_VMX_MISC) & VMX_MISC_PREEMPTION_TIMER_RATE_MASK;
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, vmreadz(PIN_BASED_VM_EXEC_CONTROL) |
		PIN_BASED_EXT_INTR_MASK |
		(used & BIT(NESTED) ? PIN_BASED_VMX_PREEMPTION_TIMER : 0));
}

static void set_up_svm(struct svm_test_data *svm)
{
	generic_svm_setup(svm, l2_guest_code);
	svm->vmcb->control.intercept |= BIT(INTERCEPT_INTR);
	svm->vmcb->control.int_ctl &= ~V_INTR_MASKING_MASK;
	l2_stack = svm->vmcb->save.rsp;
	guest_regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
}

/* Runs L2 from its start; true if it has given up waiting. */
static bool run_vmx(void)
{
	struct timer *t = &timers[NESTED];
	u64 now = rdtsc(), left = t->due > now ? t->due - now : 0;
	u32 reason;

	/* Counted from now on in whole ticks: rather late than early. */
	left = t->armed ? (left >> pt_rate) + !!left : ~0u;
	vmwrite(VMX_PREEMPTION_TIMER_VALUE, left);
	vmwrite(GUEST_RIP, (u64)l2_guest_code);
	vmwrite(GUEST_RSP, l2_stack);
	if (launched)
		GUEST_ASSERT(!vmresume());
	else
		GUEST_ASSERT(!vmlaunch());
	launched = true;

	reason = vmreadz(VM_EXIT_REASON);
	if (reason == EXIT_REASON_PREEMPTION_TIMER)
		fired(NESTED);
	else if (reason != EXIT_REASON_VMCALL)
		GUEST_ASSERT_EQ(reason, EXIT_REASON_EXTERNAL_INTERRUPT);
	return reason == EXIT_REASON_VMCALL;
}

static bool run_svm(struct svm_test_data *svm)
{
	struct vmcb *vmcb = svm->vmcb;

	vmcb->save.rip = (u64)l2_guest_code;
	vmcb->save.rsp = l2_stack;
	run_guest(vmcb, svm->vmcb_gpa);
	stgi();
	if (vmcb->control.exit_code != SVM_EXIT_VMMCALL)
		GUEST_ASSERT_EQ(vmcb->control.exit_code, SVM_EXIT_INTR);
	return vmcb->control.exit_code == SVM_EXIT_VMMCALL;
}

static bool run_l2(void *nested)
{
	return this_cpu_has(X86_FEATURE_VMX) ? run_vmx() : run_svm(nested);
}

static bool is_enough(void)
{
	u64 starts = 0;
	int id;

	for (id = 0; id < TIMERS; id++)
		starts += timers[id].starts;
	return READ_ONCE(stop) || (starts_wanted && starts >= starts_wanted);
}

/* Each timer again and again; starts no more once it's enough. */
static void storm(void *nested)
{
	bool ending = false, any, gave_up;
	struct timer *t;
	int id;

	for (;;) {
		ending |= is_enough();
		any = false;
		for (id = 0; id < TIMERS; id++) {
			t = &timers[id];
			if (used & BIT(id) && !t->armed && !ending)
				start(id);
			any |= t->armed;
		}
		if (!any)
			return;
		gave_up = run_l2(nested);
		sti_nop();
		cli();
		for (id = 0; id < TIMERS; id++) {
			t = &timers[id];
			if (t->armed && (gave_up || now_of(id) > t->due +
					 PATIENCE_S * 1000000 * per_us(id)))
				give_up(id);
		}
	}
}

static const u64 extremes[] = {
	0, 1, 2, 1000, 1ull << 31, 1ull << 32, 1ull << 53, 1ull << 62, 1ull << 63, ~0ull - 1, ~0ull,
};

/* From now, and as they are, in whatever order. */
static u64 extreme(int id)
{
	u64 value = extremes[random_u64() % ARRAY_SIZE(extremes)];

	return random_u64() % 2 ? value : now_of(id) + value;
}

static void be_hostile(void *nested)
{
	while (!is_enough()) {
		int id = random_u64() % TIMERS;

		if (!(used & BIT(id)))
			continue;
		timers[id].starts++;
		if (id == APIC) {
			wrmsr(MSR_IA32_TSC_DEADLINE, extreme(id));
		} else if (id == STIMER) {
			wrmsr(HV_X64_MSR_STIMER0_COUNT, extreme(id));
		} else {
			/* Where it may not come for minutes, the APIC timer ends L2. */
			wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + 1000);
			timers[NESTED].due = rdtsc() + (u32)extreme(id);
			timers[NESTED].armed = true;
			run_l2(nested);
		}
		sti_nop();
		cli();
	}

	/* And now a few of the other kind. */
	wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, 0);
	sti_nop();
	cli();
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_CONFIG);
	memset(timers, 0, sizeof(timers));
	hostile = false;
	starts_wanted = 30;
	stop = false;
	storm(nested);
}

static void l1_guest_code(void *nested, u64 page, u64 page_gpa)
{
	cli();
	state = seed;
	cycles_per_us = guest_tsc_khz / 1000;
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | APIC_VECTOR);
	tsc_page = (void *)page;
	wrmsr(HV_X64_MSR_GUEST_OS_ID, HYPERV_LINUX_OS_ID);
	wrmsr(HV_X64_MSR_REFERENCE_TSC, page_gpa | 1);
	wrmsr(HV_X64_MSR_STIMER0_CONFIG, STIMER_CONFIG);

	if (this_cpu_has(X86_FEATURE_VMX))
		set_up_vmx(nested);
	else
		set_up_svm(nested);
	if (hostile)
		be_hostile(nested);
	else
		storm(nested);
	GUEST_DONE();
}

static u64 move_us;
static unsigned long moves;
static u64 *guest_stop;

static void on_sigterm(int signal)
{
	WRITE_ONCE(*guest_stop, 1);
}

/* To another CPU, in the middle of whatever the vCPU does. */
static void on_sigalrm(int signal)
{
	/* That of the KVM_RUN that this has interrupted. */
	int interrupted = errno;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(rand() % sysconf(_SC_NPROCESSORS_CONF), &cpu);
	/* It may be offline. */
	if (!sched_setaffinity(0, sizeof(cpu), &cpu))
		moves++;
	errno = interrupted;
}

static void start_moving(void)
{
	struct itimerval interval = {
		.it_interval	= { move_us / 1000000, move_us % 1000000 },
		.it_value	= { move_us / 1000000, move_us % 1000000 },
	};

	srand(seed);
	signal(SIGALRM, on_sigalrm);
	TEST_ASSERT(!setitimer(ITIMER_REAL, &interval, NULL), "setitimer() failed");
}

static void run(void)
{
	struct kvm_vcpu *vcpu;
	gva_t nested_gva, page;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, l1_guest_code);
	vcpu_set_hv_cpuid(vcpu);
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vcpu_enable_cap(vcpu, KVM_CAP_HYPERV_SYNIC2, 0);
	vm_install_exception_handler(vm, APIC_VECTOR, apic_handler);
	vm_install_exception_handler(vm, STIMER_VECTOR, stimer_handler);
	if (kvm_cpu_has(X86_FEATURE_VMX))
		vcpu_alloc_vmx(vm, &nested_gva);
	else
		vcpu_alloc_svm(vm, &nested_gva);
	page = vm_alloc_page(vm);
	memset(addr_gva2hva(vm, page), 0, getpagesize());
	vcpu_args_set(vcpu, 3, nested_gva, page, addr_gva2gpa(vm, page));

	sync_global_to_guest(vm, used);
	sync_global_to_guest(vm, starts_wanted);
	sync_global_to_guest(vm, shortest_us);
	sync_global_to_guest(vm, longest_us);
	sync_global_to_guest(vm, halts);
	sync_global_to_guest(vm, hostile);
	sync_global_to_guest(vm, seed);
	guest_stop = addr_gva2hva(vm, (gva_t)&stop);
	signal(SIGTERM, on_sigterm);
	if (move_us)
		start_moving();
	ksft_print_msg("running\n");

	timer_vcpu_run(vcpu);
	signal(SIGALRM, SIG_IGN);
	if (move_us)
		ksft_print_msg("moved %lu times\n", moves);
	sync_global_from_guest(vm, timers);
	kvm_vm_free(vm);
}

static void report(int id)
{
	struct timer *t = &timers[id];
	u64 latest_us = t->latest / (id == STIMER ? 10 : guest_tsc_khz / 1000);

	ksft_test_result(t->fires && !t->early && !t->lost && t->starts == t->fires,
			 "%s: started %lu, fired %lu, early %lu, lost %lu, up to %lu us late\n",
			 names[id], (unsigned long)t->starts, (unsigned long)t->fires,
			 (unsigned long)t->early, (unsigned long)t->lost,
			 (unsigned long)latest_us);
}

static void help(const char *name)
{
	printf("usage: %s [--starts N] [--shortest US] [--longest US] [--seed N]\n"
	       "       [--only apic|stimer|nested] [--move US] [--halt] [--hostile]\n", name);
	exit(KSFT_FAIL);
}

static u64 bit_of(const char *program, const char *name)
{
	int id;

	for (id = 0; id < TIMERS; id++)
		if (!strcmp(name, names[id]))
			return BIT(id);
	help(program);
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "starts", required_argument, NULL, 'n' },
		{ "shortest", required_argument, NULL, 's' },
		{ "longest", required_argument, NULL, 'l' },
		{ "seed", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'o' },
		{ "move", required_argument, NULL, 'm' },
		{ "halt", no_argument, NULL, 'H' },
		{ "hostile", no_argument, NULL, 'h' },
		{ }
	};
	int opt, id;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'n')
			starts_wanted = atoi_positive("Starts", optarg);
		else if (opt == 's')
			shortest_us = atoi_positive("Microseconds", optarg);
		else if (opt == 'l')
			longest_us = atoi_positive("Microseconds", optarg);
		else if (opt == 'r')
			seed = atoi_positive("Seed", optarg);
		else if (opt == 'o')
			used = bit_of(argv[0], optarg);
		else if (opt == 'm')
			move_us = atoi_positive("Microseconds", optarg);
		else if (opt == 'H')
			halts = true;
		else if (opt == 'h')
			hostile = true;
		else
			help(argv[0]);
	}

	TEST_REQUIRE(kvm_cpu_has(X86_FEATURE_VMX) || kvm_cpu_has(X86_FEATURE_SVM));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_TIME));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_HYPERV_SYNIC2));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());
	if (!kvm_cpu_has(X86_FEATURE_VMX))
		used &= ~BIT(NESTED);
	TEST_REQUIRE(used);

	ksft_print_header();
	ksft_set_plan(__builtin_popcountl(used));
	run();
	for (id = 0; id < TIMERS; id++)
		if (used & BIT(id))
			report(id);
	ksft_finished();
}
