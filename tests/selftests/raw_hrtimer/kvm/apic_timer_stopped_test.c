// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test a periodic APIC timer of a guest whose monitor is stopped for long, as a debugger
 * or "kill -STOP" does, and continued.
 *
 * The periods that were missed are dropped: when the monitor goes on, the guest has as
 * many interrupts as periods fit in, and not those of all the time before as well.
 *
 * usage: apic_timer_stopped_test [SECONDS]
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "timer_accuracy.h"

#define PERIOD_US	200
#define AFTER_MS	250
#define STOPPED_MS	500	/* such a gap between interrupts is the stop */
#define EXPECTED	(AFTER_MS * 1000 / PERIOD_US)
#define TOLERANCE	(EXPECTED / 6)	/* more than NTP makes of it */

static u64 last_tsc, resumed_tsc, before, after, irqs;

static void timer_handler(struct ex_regs *regs)
{
	u64 now = rdtsc();

	if (!resumed_tsc && irqs && now - last_tsc > STOPPED_MS * guest_tsc_khz)
		resumed_tsc = now;
	else if (!resumed_tsc)
		before++;
	else if (now - resumed_tsc < AFTER_MS * guest_tsc_khz)
		after++;
	last_tsc = now;
	WRITE_ONCE(irqs, irqs + 1);
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_code(bool halt)
{
	cli();
	x2apic_enable();
	x2apic_write_reg(APIC_LVTT, APIC_LVT_TIMER_PERIODIC | TIMER_VECTOR);
	x2apic_write_reg(APIC_TDCR, 0xb);		/* divide by 1 */
	x2apic_write_reg(APIC_TMICT, PERIOD_US * 1000);	/* the bus runs at 1 GHz */
	sti();
	while (!READ_ONCE(resumed_tsc) ||
	       rdtsc() - resumed_tsc < AFTER_MS * guest_tsc_khz) {
		if (halt) {
			safe_halt();
			cli();
			sti();
		} else {
			cpu_relax();
		}
	}
	cli();
	GUEST_DONE();
}

/* The monitor: its exit status is whether the guest had what it should have. */
static int run_monitor(bool halt, int ready)
{
	struct sched_param param = { };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	/* At a real-time priority a guest that spins would never let its parent stop it. */
	TEST_ASSERT(!sched_setscheduler(0, SCHED_OTHER, &param), "sched_setscheduler() failed");
	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_install_exception_handler(vm, TIMER_VECTOR, timer_handler);
	vcpu_args_set(vcpu, 1, (u64)halt);
	TEST_ASSERT_EQ(write(ready, "", 1), 1);
	timer_vcpu_run(vcpu);
	sync_global_from_guest(vm, before);
	sync_global_from_guest(vm, after);
	kvm_vm_free(vm);
	ksft_print_msg("%s: %lu interrupts before, %lu in the %u ms after, %u expected\n",
		       halt ? "halted" : "spinning", (unsigned long)before,
		       (unsigned long)after, AFTER_MS, EXPECTED);
	fflush(stdout);
	return labs((long)after - EXPECTED) > TOLERANCE || !before;
}

static bool test_stopped(bool halt, int seconds)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	TEST_ASSERT(!pipe(ready), "pipe() failed");
	fflush(stdout);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed");
	if (!pid)
		_exit(run_monitor(halt, ready[1]));

	TEST_ASSERT_EQ(read(ready[0], &byte, 1), 1);
	usleep(100000);
	kill(pid, SIGSTOP);
	sleep(seconds);
	kill(pid, SIGCONT);
	TEST_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	int seconds = argc > 1 ? atoi_positive("Seconds", argv[1]) : 3, halt;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_IRQCHIP));

	ksft_print_header();
	ksft_set_plan(2);
	for (halt = 0; halt < 2; halt++)
		ksft_test_result(test_stopped(halt, seconds), "%s, stopped for %d s\n",
				 halt ? "halted" : "spinning", seconds);
	ksft_finished();
}
