// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test a Xen timer that is pending when userspace sets kvmclock, and with it the
 * guest's PV clock.
 *
 * The timer is due when the PV clock says so, i.e. earlier if the clock is set forward,
 * and later if it's set back.  What is tested is most of what the clock is set by, i.e.
 * it matters neither at which rate the host's clocks run, nor that the host is busy.
 */
#include <pthread.h>

#include "timer_edge.h"
#include "xen_timer.h"

#define DISTANCE_MS	500
#define TOLERANCE_MS	200
#define DELAY_MS	100

enum when {
	EXITED,			/* the guest has set the timer, and is not run */
	HALTED,			/* the guest has set the timer, and waits for it */
	RESTORED,		/* userspace has set the timer, and the guest has yet to run */
};

static const struct clock_case {
	const char *name;
	s64 set_ms;		/* forward */
	enum when when;
} cases[] = {
	{ "not set", 0 },
	{ "set forward", 300 },
	{ "set beyond", 3600000 },
	{ "set back", -300 },
	{ "set forward while halted", 300, HALTED },
	{ "set beyond while halted", 3600000, HALTED },
	{ "set back while halted", -300, HALTED },
	{ "set forward after the timer was restored", 1000, RESTORED },
	{ "set back after the timer was restored", -1000, RESTORED },
};

/* What the guest tells: the PV clock, and the TSC in between. */
static u64 due, resumed, irq_ns, cycles;

static void upcall_handler(struct ex_regs *regs)
{
	irq_ns = xen_clock();
	xen_clear_event();
	WRITE_ONCE(irqs, irqs + 1);
}

static void guest_code(void)
{
	u64 start;

	cli();
	x2apic_enable();
	if (!due) {
		due = xen_clock() + DISTANCE_MS * NS_PER_MS;
		xen_set_timer(due);
		GUEST_SYNC(0);
	}

	start = rdtsc();
	resumed = xen_clock();
	wait_for_irq(1);
	cycles = rdtsc() - start;
	spin_ms(5);
	GUEST_DONE();
}

struct setter {
	struct kvm_vm *vm;
	s64 ms;
};

static void *set_clock_later(void *data)
{
	struct setter *setter = data;

	usleep(DELAY_MS * 1000);
	set_kvmclock(setter->vm, setter->ms);
	return NULL;
}

/* Until the guest is about to wait for the event. */
static void set_timer_and_clock(struct kvm_vcpu *vcpu, const struct clock_case *test, u64 now)
{
	struct ucall uc;

	if (test->when == RESTORED) {
		/* Still to come as the clock is now, too: what's due is raised at once. */
		due = now + (max_t(s64, test->set_ms, 0) + DISTANCE_MS) * NS_PER_MS;
		sync_global_to_guest(vcpu->vm, due);
		xen_set_vcpu_timer(vcpu, EVTCHN_TIMER, due);
	} else {
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	}
	if (test->when != HALTED && test->set_ms)
		set_kvmclock(vcpu->vm, test->set_ms);
}

static void test_set_clock(const struct clock_case *test)
{
	s64 left_ms, late_ms, clock_ms;
	struct kvm_vcpu *vcpu;
	struct setter setter;
	pthread_t thread;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, upcall_handler);
	xen_set_vcpu_info(vcpu, xen_set_up(vm, vcpu));
	due = 0;
	irqs = 0;
	sync_global_to_guest(vm, due);
	sync_global_to_guest(vm, irqs);

	/* Setting it back must not make it negative. */
	set_timer_and_clock(vcpu, test, set_kvmclock(vm, 2000));
	setter = (struct setter) { vm, test->set_ms };
	if (test->when == HALTED)
		TEST_ASSERT(!pthread_create(&thread, NULL, set_clock_later, &setter),
			    "There's no thread to set the clock");
	timer_vcpu_run(vcpu);
	if (test->when == HALTED)
		pthread_join(thread, NULL);

	sync_global_from_guest(vm, due);
	sync_global_from_guest(vm, resumed);
	sync_global_from_guest(vm, irqs);
	sync_global_from_guest(vm, irq_ns);
	sync_global_from_guest(vm, cycles);
	kvm_vm_free(vm);

	/* From when the guest went on to the interrupt, beyond what was left then. */
	left_ms = (s64)(due - resumed) / NS_PER_MS;
	if (test->when == HALTED)
		left_ms = max_t(s64, left_ms - test->set_ms, DELAY_MS);
	late_ms = (s64)(cycles / guest_tsc_khz) - max_t(s64, left_ms, 0);
	clock_ms = (s64)(irq_ns - due) / NS_PER_MS;
	ksft_print_msg("%s: %ld ms were left, %ld ms late, PV clock - timeout %ld ms\n",
		       test->name, (long)left_ms, (long)late_ms, (long)clock_ms);
	ksft_test_result(irqs == 1 && clock_ms > -TOLERANCE_MS && late_ms < TOLERANCE_MS, "%s\n",
			 test->name);
}

int main(int argc, char *argv[])
{
	unsigned int i;

	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_ADJUST_CLOCK));

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		test_set_clock(&cases[i]);
	ksft_finished();
}
