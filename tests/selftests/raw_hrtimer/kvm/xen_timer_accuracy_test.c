// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that the Xen singleshot timer expires when the PV clock says so.
 *
 * The guest reads the PV clock from its vcpu_info, sets the timer with
 * VCPUOP_set_singleshot_timer, and compares the clock in the upcall's handler
 * with the timeout.
 */
#include "timer_accuracy.h"
#include "xen_timer.h"

static u64 irq_time;

static void upcall_handler(struct ex_regs *regs)
{
	irq_time = xen_clock();
	xen_clear_event();
	WRITE_ONCE(guest_timer.irqs, guest_timer.irqs + 1);
}

static void guest_code(void)
{
	u64 i, due;

	cli();
	x2apic_enable();

	for (i = 0; i < guest_timer.samples; i++) {
		due = xen_clock() + guest_timer.distance_us * 1000;
		xen_set_timer(due);
		guest_wait_for_irq(i + 1);
		guest_timer.late[i] = irq_time - due;
	}
	GUEST_DONE();
}

static void test_accuracy(const struct timer_run *run)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = timer_vm_create(&vcpu, guest_code, run);
	vm_install_exception_handler(vm, TIMER_VECTOR, upcall_handler);
	xen_set_vcpu_info(vcpu, xen_set_up(vm, vcpu));

	timer_vcpu_run(vcpu);
	timer_report(vm, run, NS_PER_MS);
}

static const struct timer_mode modes[] = {
	{ "singleshot", test_accuracy },
};

/* Without, KVM doesn't believe that the PV clock follows the TSC. */
static bool host_has_constant_tsc(void)
{
	bool found = false;
	char line[8192];
	FILE *file;

	file = fopen("/proc/cpuinfo", "r");
	TEST_ASSERT(file, "Failed to open /proc/cpuinfo");
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " constant_tsc ");
	fclose(file);
	return found;
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_check_cap(KVM_CAP_XEN_HVM) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND);
	TEST_REQUIRE(sys_clocksource_is_based_on_tsc());
	TEST_REQUIRE(host_has_constant_tsc());

	timer_main(argc, argv, modes, ARRAY_SIZE(modes));
}
