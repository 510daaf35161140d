// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test that a guest's TSC is left alone when a CPU of the host comes online while
 * vCPUs run.
 *
 * KVM compares the CPU's TSC with the one at which each vCPU was last put, to see
 * whether it went back.  The last of many vCPUs, which is loaded and put in a loop,
 * is most likely put meanwhile.
 *
 * Takes a CPU offline and online again, i.e. needs root and CPU hotplug.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

#define NR_VCPUS	200
#define NR_CYCLES	20
#define PAUSE_US	10000

#define CPU_ONLINE	"/sys/devices/system/cpu/cpu%d/online"

static bool stop;

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* As often as possible, i.e. without running it. */
static void *load_and_put(void *data)
{
	struct kvm_vcpu *vcpu = data;
	struct kvm_mp_state state;

	while (!READ_ONCE(stop))
		vcpu_mp_state_get(vcpu, &state);
	return NULL;
}

static bool set_online(int cpu, bool online)
{
	char path[64];
	int fd, done;

	snprintf(path, sizeof(path), CPU_ONLINE, cpu);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	done = write(fd, online ? "1" : "0", 1);
	close(fd);
	return done == 1;
}

static u64 tsc_offset(struct kvm_vcpu *vcpu)
{
	u64 offset;

	vcpu_device_attr_get(vcpu, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &offset);
	return offset;
}

static bool tsc_is_stable(struct kvm_vm *vm)
{
	struct kvm_clock_data clock;

	vm_ioctl(vm, KVM_GET_CLOCK, &clock);
	return clock.flags & KVM_CLOCK_TSC_STABLE;
}

int main(int argc, char *argv[])
{
	struct kvm_vcpu *vcpus[NR_VCPUS], *last;
	u64 before, after;
	pthread_t thread;
	struct kvm_vm *vm;
	bool was_stable;
	int i, cpu;

	cpu = sysconf(_SC_NPROCESSORS_CONF) - 1;
	__TEST_REQUIRE(cpu > 0, "There's one CPU only");
	__TEST_REQUIRE(sys_clocksource_is_based_on_tsc(), "The clocksource isn't the TSC");
	__TEST_REQUIRE(set_online(cpu, false), "CPU %d can't be taken offline", cpu);
	__TEST_REQUIRE(set_online(cpu, true), "CPU %d can't be taken online", cpu);

	vm = vm_create_with_vcpus(NR_VCPUS, guest_code, vcpus);
	last = vcpus[NR_VCPUS - 1];
	__TEST_REQUIRE(!__vcpu_has_device_attr(last, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET),
		       "KVM_VCPU_TSC_OFFSET not supported");

	vcpu_run(last);
	was_stable = tsc_is_stable(vm);
	before = tsc_offset(last);

	pthread_create(&thread, NULL, load_and_put, last);
	for (i = 0, after = before; i < NR_CYCLES && after == before; i++) {
		usleep(PAUSE_US);
		TEST_ASSERT(set_online(cpu, false), "CPU %d can't be taken offline", cpu);
		usleep(PAUSE_US);
		TEST_ASSERT(set_online(cpu, true), "CPU %d can't be taken online", cpu);
		after = tsc_offset(last);
	}
	WRITE_ONCE(stop, true);
	pthread_join(thread, NULL);
	vcpu_run(last);

	ksft_print_header();
	ksft_set_plan(2);
	ksft_test_result(after == before,
			 "the TSC's offset has changed by %ld cycles, CPU online %d times\n",
			 (long)(after - before), i);
	ksft_test_result(tsc_is_stable(vm) == was_stable, "the TSC is %s, and was %s before\n",
			 tsc_is_stable(vm) ? "stable" : "unstable",
			 was_stable ? "stable" : "unstable");
	kvm_vm_free(vm);
	ksft_finished();
}
