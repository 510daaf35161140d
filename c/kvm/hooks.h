/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the hooks (hooked.c), and who places them (hooks.c), see of each other.
 */
#ifndef RAW_HRTIMER_HOOKS_H
#define RAW_HRTIMER_HOOKS_H

#include <linux/ftrace.h>

#include "shim.h"

struct kvm_vcpu;

struct rht_target {
	enum rht_kvm_module module;
	const char *symbol;
	const char *witness;		/* what its module has in any case */
	unsigned long hooked;		/* where ftrace has its hook */
	struct ftrace_ops ops;		/* its own: one that is refused costs no other */
};

extern struct rht_target rht_targets[RHT_TARGETS];

/* The callbacks of the timers that the hooks act on, 0 where there is none. */
extern unsigned long rht_used[RHT_TARGETS];

/* The lowest of these addresses. */
extern unsigned long rht_lowest;

/* What the hrtimer core's hook is placed on, and what is called in its place, if anything is. */
struct rht_function {
	unsigned long ip;
	void *replacement;
};

#define RHT_FUNCTIONS 5		/* the last one is hrtimer_start_range_ns_user() */
extern struct rht_function rht_functions[RHT_FUNCTIONS];

/* Functions that are found by name. */
extern bool (*rht_start_range_ns_user)(struct hrtimer *timer, ktime_t expiry, u64 range,
				       const enum hrtimer_mode mode);
extern struct kvm_vcpu *(*rht_get_running_vcpu)(void);

/* The hooks; the second where KVM is built into the kernel. */
void rht_on_hrtimer(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs);
void rht_on_hrtimer_builtin(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs);
void rht_on_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs);
void rht_on_vcpu_destroy(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			 struct ftrace_regs *fregs);

#endif /* RAW_HRTIMER_HOOKS_H */
