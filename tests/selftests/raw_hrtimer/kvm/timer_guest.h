/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of emulated timers share: the interrupt, and how a guest is run to its end. */
#ifndef SELFTEST_KVM_TIMER_GUEST_H
#define SELFTEST_KVM_TIMER_GUEST_H

#include "apic.h"
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "test_util.h"

#define TIMER_VECTOR		0xec
#define NS_PER_MS		1000000ll

/* Let the guest run until it is done. */
static inline void timer_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	/* Writes to the MSRs of Hyper-V's SynIC are userspace's business, too. */
	do {
		vcpu_run(vcpu);
	} while (vcpu->run->exit_reason == KVM_EXIT_HYPERV);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
		/* NOT REACHED */
	case UCALL_DONE:
		break;
	default:
		TEST_FAIL("Unknown ucall %lu", uc.cmd);
	}
}

#endif /* SELFTEST_KVM_TIMER_GUEST_H */
