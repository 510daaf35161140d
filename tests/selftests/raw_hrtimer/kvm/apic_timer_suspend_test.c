// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test an APIC timer that is pending in the hypervisor timer when the host is suspended
 * to RAM, and its TSC restarts.
 *
 * KVM adjusts the guest's TSC such that it goes on from where it was.  The timer is
 * due when the guest's TSC says so, not when the host's has reached the value of
 * before.
 *
 * Suspends the host, i.e. needs root, and an RTC that wakes it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "timer_guest.h"

#define DISTANCE_MS	1000
#define TOLERANCE_MS	500
/* What the APIC and the TSC may differ by, at most 500 ppm each. */
#define CLOCKS_US	1000
#define ASLEEP_S	"+6"

/* The APIC counts nanoseconds, unless userspace wants it otherwise. */
#define APIC_COUNTS_PER_MS	1000000

#define WAKEALARM		"/sys/class/rtc/rtc0/wakealarm"
#define MEM_SLEEP		"/sys/power/mem_sleep"
#define PREEMPTION_TIMER	"/sys/module/kvm_intel/parameters/preemption_timer"

/* What the guest tells. */
static u64 due, irq_tsc;

static void timer_handler(struct ex_regs *regs)
{
	WRITE_ONCE(irq_tsc, rdtsc());
	x2apic_write_reg(APIC_EOI, 0);
}

/* The guest spins, because an hrtimer takes over when it halts. */
static void guest_code(u64 mode)
{
	u64 limit;

	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_TDCR, 0xb /* divide by one */);
	x2apic_write_reg(APIC_LVTT, mode | TIMER_VECTOR);
	due = rdtsc() + DISTANCE_MS * guest_tsc_khz;
	if (mode == APIC_LVT_TIMER_TSCDEADLINE)
		wrmsr(MSR_IA32_TSC_DEADLINE, due);
	else
		x2apic_write_reg(APIC_TMICT, DISTANCE_MS * APIC_COUNTS_PER_MS);
	limit = due + TOLERANCE_MS * guest_tsc_khz;
	GUEST_SYNC(0);

	sti();
	while (!READ_ONCE(irq_tsc) && rdtsc() < limit)
		cpu_relax();
	cli();
	GUEST_DONE();
}

static bool write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

static bool is_suspended_and_woken(void)
{
	return write_file(WAKEALARM, "0") && write_file(WAKEALARM, ASLEEP_S) &&
	       write_file("/sys/power/state", "mem");
}

static void test_suspend(const char *name, u64 mode)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	s64 late_us;
	struct ucall uc;
	u64 tsc;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	vcpu_args_set(vcpu, 1, mode);
	irq_tsc = 0;
	sync_global_to_guest(vm, irq_tsc);

	/* The TSC has to restart by more than the guest waits for the timer. */
	sleep(5);
	vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_SYNC);
	tsc = rdtsc();
	TEST_ASSERT(is_suspended_and_woken(), "The host can't be suspended, and woken by its RTC");
	TEST_ASSERT(rdtsc() < tsc, "The host's TSC goes on");
	timer_vcpu_run(vcpu);

	sync_global_from_guest(vm, due);
	sync_global_from_guest(vm, irq_tsc);
	kvm_vm_free(vm);

	late_us = (s64)(irq_tsc - due) * 1000 / guest_tsc_khz;
	ksft_print_msg("%s: the host's TSC was %lu and is %lu\n", name, (unsigned long)tsc,
		       (unsigned long)rdtsc());
	if (irq_tsc)
		ksft_test_result(late_us >= -CLOCKS_US, "%s: %ld us late\n", name, (long)late_us);
	else
		ksft_test_result_fail("%s: more than %d ms late\n", name, TOLERANCE_MS);
}

static bool has_hypervisor_timer(void)
{
	char text = 0;
	int fd = open(PREEMPTION_TIMER, O_RDONLY);

	if (fd >= 0) {
		if (read(fd, &text, 1) != 1)
			text = 0;
		close(fd);
	}
	return text == 'Y';
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(has_hypervisor_timer());
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_TSC_DEADLINE_TIMER));
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());
	TEST_REQUIRE(write_file(MEM_SLEEP, "deep"));

	ksft_print_header();
	ksft_set_plan(2);
	test_suspend("tscdeadline", APIC_LVT_TIMER_TSCDEADLINE);
	test_suspend("oneshot", APIC_LVT_TIMER_ONESHOT);
	ksft_finished();
}
