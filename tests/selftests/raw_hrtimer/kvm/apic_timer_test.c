// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the APIC timer expires neither long before nor long after it's due.
 *
 * What's tested are mistakes of at least the distance that the timer is set to,
 * i.e. it doesn't matter at which rate the host's clocks run:
 *
 * A TSC deadline that is so far ahead that the nanoseconds until then overflow.
 *
 * A one-shot or periodic timer counts the bus, i.e. the guest may write its TSC
 * meanwhile.  KVM nevertheless uses the TSC, if it's the hypervisor timer that
 * runs the timer, which stops while the vCPU is halted: let something else end
 * the halt, which is an interrupt that userspace sends.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "apic.h"
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

#define TIMER_VECTOR	0xec
#define WAKE_VECTOR	0xed

/* The bus runs at 1 GHz, i.e. the timer counts nanoseconds. */
#define DISTANCE_NS	100000000ull
/* When the halt ends. */
#define WAKE_US		20000
/* How long the guest waits, and the interrupts that it waits for. */
#define MAX_DISTANCES	6
#define PERIODS		3

/* The guest's TSC to begin with, and how far it's written back: seconds. */
#define START_TSC	BIT_ULL(40)
#define BACK_CYCLES	BIT_ULL(34)

static const struct timer_case {
	const char *name;
	u32 mode;
	s64 write;		/* add that to the TSC */
	bool wrap;		/* the TSC, halfway to when the timer is due */
} cases[] = {
	{ "one-shot, TSC written forward", APIC_LVT_TIMER_ONESHOT, START_TSC },
	{ "one-shot, TSC written back", APIC_LVT_TIMER_ONESHOT, -BACK_CYCLES },
	{ "one-shot, TSC wraps", APIC_LVT_TIMER_ONESHOT, .wrap = true },
	{ "periodic, TSC written forward", APIC_LVT_TIMER_PERIODIC, START_TSC },
	{ "periodic, TSC written back", APIC_LVT_TIMER_PERIODIC, -BACK_CYCLES },
	{ "periodic, TSC wraps", APIC_LVT_TIMER_PERIODIC, .wrap = true },
};

/* What the guest is told, and what it tells. */
static struct timer_case timer;
static u64 irqs, wakes;
static u64 first, elapsed;		/* cycles, until the first and the last interrupt */

static u64 distance_cycles(void)
{
	return DISTANCE_NS * guest_tsc_khz / 1000000;
}

static void timer_handler(struct ex_regs *regs)
{
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void wake_handler(struct ex_regs *regs)
{
	WRITE_ONCE(wakes, wakes + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_setup(u32 mode)
{
	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, mode | TIMER_VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);	/* divide by 1 */
}

static void guest_written(void)
{
	u64 periods = timer.mode == APIC_LVT_TIMER_PERIODIC ? PERIODS : 1;
	u64 start, written = 0, set = 0;

	guest_setup(timer.mode);
	if (timer.wrap) {
		set = -(rdtsc() + distance_cycles() / 2);
		wrmsr(MSR_IA32_TSC_ADJUST, set);
	}

	/* From here on until the guest is halted, nothing exits to userspace. */
	GUEST_SYNC(0);
	start = rdtsc();
	x2apic_write_reg(APIC_TMICT, DISTANCE_NS);
	if (timer.write) {
		written = timer.write;
		wrmsr(MSR_IA32_TSC_ADJUST, rdmsr(MSR_IA32_TSC_ADJUST) + written);
	}
	safe_halt();
	cli();

	while (READ_ONCE(irqs) < periods &&
	       rdtsc() - written - start < MAX_DISTANCES * distance_cycles()) {
		sti();
		cpu_relax();
		cli();
		elapsed = rdtsc() - written - start;
		if (!first && READ_ONCE(irqs))
			first = elapsed;
	}
	x2apic_write_reg(APIC_LVTT, APIC_LVT_MASKED);
	GUEST_DONE();
}

/*
 * Beyond 2^64 / 10^6 cycles, the nanoseconds until the deadline don't fit into
 * 64 bits on their way from cycles.  Choose one for which the rest does, i.e.
 * an interrupt would arrive after half of the time.
 */
static void guest_far(void)
{
	u64 start;

	guest_setup(APIC_LVT_TIMER_TSCDEADLINE);
	start = rdtsc();
	wrmsr(MSR_IA32_TSC_DEADLINE, start + ~0ull / 1000000 + distance_cycles() / 2);
	while (rdtsc() - start < distance_cycles()) {
		sti();
		cpu_relax();
		cli();
	}
	GUEST_DONE();
}

static void alarm_handler(int nr)
{
}

static void set_alarm(void)
{
	struct itimerval wake = { .it_value.tv_usec = WAKE_US };

	TEST_ASSERT(!setitimer(ITIMER_REAL, &wake, NULL), "setitimer() failed");
}

static void send_wake(struct kvm_vm *vm)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = WAKE_VECTOR,
	};

	/* Returns how many vCPUs it was delivered to. */
	TEST_ASSERT(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi) == 1, "KVM_SIGNAL_MSI failed");
}

/* Until the guest is done; wake it once if it's halted. */
static void run(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;
	bool woken = false;
	struct ucall uc;

	for (;;) {
		if (__vcpu_run(vcpu)) {
			TEST_ASSERT(errno == EINTR, KVM_IOCTL_ERROR(KVM_RUN, -1));
			vcpu_mp_state_get(vcpu, &state);
			if (!woken && state.mp_state == KVM_MP_STATE_HALTED) {
				send_wake(vcpu->vm);
				woken = true;
			} else if (!woken) {
				set_alarm();
			}
			continue;
		}

		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
		switch (get_ucall(vcpu, &uc)) {
		case UCALL_SYNC:
			set_alarm();
			break;
		case UCALL_DONE:
			return;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(uc);
			/* NOT REACHED */
		default:
			TEST_FAIL("Unknown ucall %lu", uc.cmd);
		}
	}
}

static struct kvm_vm *run_guest(const struct timer_case *c, void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_set_cpuid_feature(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	vm_install_exception_handler(vm, WAKE_VECTOR, wake_handler);
	if (c) {
		timer = *c;
		sync_global_to_guest(vm, timer);
		vcpu_set_msr(vcpu, MSR_IA32_TSC, START_TSC);
	}
	run(vcpu);
	sync_global_from_guest(vm, irqs);
	return vm;
}

static void test_written(const struct timer_case *c)
{
	u64 periods = c->mode == APIC_LVT_TIMER_PERIODIC ? PERIODS : 1;
	struct kvm_vm *vm = run_guest(c, guest_written);

	sync_global_from_guest(vm, wakes);
	sync_global_from_guest(vm, first);
	sync_global_from_guest(vm, elapsed);
	kvm_vm_free(vm);

	ksft_print_msg("%s: %lu interrupts, after %lu to %lu %% of the time, woken %lu times\n",
		       c->name, (unsigned long)irqs,
		       (unsigned long)(first * 100 / distance_cycles()),
		       (unsigned long)(elapsed * 100 / distance_cycles()),
		       (unsigned long)wakes);
	ksft_test_result(irqs >= periods && first > distance_cycles() / 2, "%s\n", c->name);
}

static void test_far(void)
{
	kvm_vm_free(run_guest(NULL, guest_far));
	ksft_test_result(!irqs, "TSC deadline, beyond 2^64 / 10^6 cycles\n");
}

int main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = alarm_handler };
	int i;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_SIGNAL_MSI));
	TEST_ASSERT(!sigaction(SIGALRM, &action, NULL), "sigaction() failed");

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases) + 1);
	test_far();
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_written(&cases[i]);
	ksft_finished();
}
