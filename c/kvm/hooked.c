// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks for a KVM that does not call the module:
 *
 *   hrtimer_start_range_ns()	replaced: starts the timer's node
 *   hrtimer_try_to_cancel()	replaced: cancels the timer and its node
 *   hrtimer_cancel()		before it, cancels the node
 *   __hrtimer_get_remaining()	replaced: computed from the deadline
 *   a timer's callback		replaced, for one call, if that is early; wrapped, if the
 *				timer may be periodic, or no hook has seen its start
 *   kvm_arch_vcpu_destroy()	before it, retires the entries of the vCPU's timers
 *
 * The first four act only on timers whose callback is one of KVM's.  rust/kvm/hooked.rs
 * decides what is done.  A call from this module's own text passes, and is known by its
 * return address: so none of the calls below may be a jump (see Kbuild).
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <asm/ibt.h>

#include "hooks.h"

unsigned long rht_lowest __read_mostly = ULONG_MAX;
unsigned long rht_used[RHT_TARGETS] __read_mostly;

notrace bool rht_hooked_used(enum rht_target_id id)
{
	return READ_ONCE(rht_used[id]);
}

static notrace __always_inline bool rht_is_target(const struct hrtimer *timer)
{
	unsigned long fn = (unsigned long)ACCESS_PRIVATE(timer, function);

	return fn == READ_ONCE(rht_used[RHT_NESTED]) || fn == READ_ONCE(rht_used[RHT_LAPIC]) ||
	       fn == READ_ONCE(rht_used[RHT_HYPERV]) || fn == READ_ONCE(rht_used[RHT_XEN]);
}

static notrace __always_inline bool rht_is_own(unsigned long parent_ip)
{
	return within_module_mem_type(parent_ip, THIS_MODULE, MOD_TEXT);
}

/* Replacements of the hrtimer core's functions, for KVM's timers. */

static notrace void rht_start(struct hrtimer *timer, ktime_t expiry, u64 range,
			      const enum hrtimer_mode mode)
{
	if (!rust_raw_hrtimer_hooked_start(timer, expiry, mode))
		hrtimer_start_range_ns(timer, expiry, range, mode);
}

/* From 7.2 on; no KVM that we know of calls it.  It returns false for a time that has passed. */
bool (*rht_start_range_ns_user)(struct hrtimer *timer, ktime_t expiry, u64 range,
				const enum hrtimer_mode mode);

static notrace bool rht_start_user(struct hrtimer *timer, ktime_t expiry, u64 range,
				   const enum hrtimer_mode mode)
{
	if (expiry > ktime_get() && rust_raw_hrtimer_hooked_start(timer, expiry, mode))
		return true;
	rust_raw_hrtimer_hooked_plain(timer);
	return rht_start_range_ns_user(timer, expiry, range, mode);
}

static notrace int rht_try_to_cancel(struct hrtimer *timer)
{
	return rust_raw_hrtimer_hooked_try_to_cancel(timer);
}

static notrace ktime_t rht_remaining(const struct hrtimer *timer, bool adjust)
{
	ktime_t remaining;

	if (rust_raw_hrtimer_hooked_remaining((struct hrtimer *)timer, &remaining))
		return remaining;
	return __hrtimer_get_remaining(timer, adjust);
}

struct rht_function rht_functions[RHT_FUNCTIONS] = {
	{ (unsigned long)hrtimer_start_range_ns, rht_start },
	{ (unsigned long)hrtimer_cancel, NULL },
	{ (unsigned long)hrtimer_try_to_cancel, rht_try_to_cancel },
	{ (unsigned long)__hrtimer_get_remaining, rht_remaining },
	{ 0, rht_start_user },
};

/* Not inlined, so that other timers do not pay for the stack that KVM's need. */
static notrace noinline void rht_on_target(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hrtimer *timer = (struct hrtimer *)ftrace_regs_get_argument(fregs, 0);
	struct rht_function *function = rht_functions;

	if (!rht_is_target(timer) || rht_is_own(parent_ip))
		return;
	/* ip is the address of one of these functions, or of what follows its ENDBR. */
	while (ip - function->ip > ENDBR_INSN_SIZE)
		function++;
	if (function->replacement)
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)function->replacement);
	else
		rust_raw_hrtimer_hooked_cancel(timer);
}

/*
 * Modules lie above the kernel: nearly all hrtimers of the machine are told from KVM's by one
 * comparison, with the lowest address that a callback of KVM's may have.
 */
static notrace __always_inline void rht_on_callback_from(unsigned long lowest, unsigned long ip,
							 unsigned long parent_ip,
							 struct ftrace_ops *ops,
							 struct ftrace_regs *fregs)
{
	struct hrtimer *timer = (struct hrtimer *)ftrace_regs_get_argument(fregs, 0);

	if (unlikely((unsigned long)ACCESS_PRIVATE(timer, function) >= lowest))
		rht_on_target(ip, parent_ip, ops, fregs);
}

/* A constant where KVM is a module: that is an instruction less. */
notrace void rht_on_hrtimer(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	rht_on_callback_from(MODULES_VADDR, ip, parent_ip, ops, fregs);
}

notrace void rht_on_hrtimer_builtin(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	/* A race does no harm: not READ_ONCE(), which takes an instruction more. */
	rht_on_callback_from(data_race(rht_lowest), ip, parent_ip, ops, fregs);
}

/* Replaces a callback that is early. */
static notrace enum hrtimer_restart rht_early(struct hrtimer *timer)
{
	return HRTIMER_RESTART;
}

/* Replaces a callback, and calls it. */
static notrace enum hrtimer_restart rht_wrapped(struct hrtimer *timer)
{
	enum hrtimer_restart ret = ACCESS_PRIVATE(timer, function)(timer);

	if (rht_is_target(timer))
		rust_raw_hrtimer_hooked_ran(timer, ret == HRTIMER_RESTART);
	return ret;
}

notrace void rht_on_callback(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct rht_target *target = container_of(ops, struct rht_target, ops);
	struct hrtimer *timer = (struct hrtimer *)ftrace_regs_get_argument(fregs, 0);
	enum rht_target_id id = target - rht_targets;

	/*
	 * KVM calls some of its callbacks itself: then the timer has not expired.  And while
	 * the target is not used, the deadlines of its timers are out of date.
	 */
	if (rht_is_own(parent_ip) || !hrtimer_callback_running(timer) ||
	    !rht_hooked_used(id))
		return;
	switch (rust_raw_hrtimer_hooked_callback(timer, id)) {
	case RHT_EARLY:
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)rht_early);
		break;
	case RHT_WRAP:
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)rht_wrapped);
		break;
	case RHT_PASS:
		break;
	}
}

notrace void rht_on_vcpu_destroy(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	rust_raw_hrtimer_hooked_vcpu_destroyed((void *)ftrace_regs_get_argument(fregs, 0));
}

/* KVM's function of that name. */
struct kvm_vcpu *(*rht_get_running_vcpu)(void);

void *rht_running_vcpu(void)
{
	return rht_get_running_vcpu();
}
