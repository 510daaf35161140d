// SPDX-License-Identifier: GPL-2.0
/*
 * Places the hooks of hooked.c by ftrace, and removes them; finds the functions that they are
 * placed on.
 */
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <asm/ibt.h>

#include "hooks.h"

/*
 * PERMANENT: ftrace cannot be switched off by sysctl while they are there.
 * Not RECURSION, with which ftrace guards against it at a price: what a handler
 * calls of the functions it is placed on, it calls from this module's text.
 */
#define RHT_OPS(handler, more) {					\
	.func	= (handler),						\
	.flags	= FTRACE_OPS_FL_PERMANENT | (more),			\
}

static struct ftrace_ops rht_hrtimer_ops = RHT_OPS(NULL, FTRACE_OPS_FL_IPMODIFY);
static struct ftrace_ops rht_vcpu_ops = RHT_OPS(rht_on_vcpu_destroy, 0);

/* Each module has __this_module, which can be found, but not probed: it is no code. */
#define RHT_TARGET(id, mod, function) {					\
	.module		= (id),						\
	.symbol		= mod ":" function,				\
	.witness	= mod ":__this_module",				\
	.ops		= RHT_OPS(rht_on_callback, FTRACE_OPS_FL_IPMODIFY),	\
}

struct rht_target rht_targets[RHT_TARGETS] = {
	[RHT_NESTED]	= RHT_TARGET(RHT_KVM_INTEL, "kvm_intel", "vmx_preemption_timer_fn"),
	[RHT_LAPIC]	= RHT_TARGET(RHT_KVM, "kvm", "apic_timer_fn"),
	[RHT_HYPERV]	= RHT_TARGET(RHT_KVM, "kvm", "stimer_timer_callback"),
	[RHT_XEN]	= RHT_TARGET(RHT_KVM, "kvm", "xen_timer_callback"),
};

#ifdef CONFIG_X86_KERNEL_IBT
/* A probe sits behind an ENDBR, a function pointer points to it. */
static unsigned long rht_before_endbr(unsigned long addr)
{
	u32 *endbr = (u32 *)(addr - ENDBR_INSN_SIZE);
	u32 insn;

	if (!copy_from_kernel_nofault(&insn, endbr, sizeof(insn)) && __is_endbr(insn))
		return (unsigned long)endbr;
	return addr;
}
#else
static unsigned long rht_before_endbr(unsigned long addr)
{
	return addr;
}
#endif

/*
 * Finds a function by a probe that is registered and at once unregistered.  The probe is
 * never armed: nothing is patched for it, and a kernel whose ftrace is switched off
 * does not keep flags of it, which would make ftrace give up later.
 * Returns 0, or -ENOENT: there is no such symbol, or why it cannot be probed.
 */
static int rht_probe(const char *symbol, unsigned long *addr)
{
	struct kprobe probe = { .symbol_name = symbol, .flags = KPROBE_FLAG_DISABLED };
	int ret;

	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	*addr = rht_before_endbr((unsigned long)probe.addr);
	unregister_kprobe(&probe);

	return 0;
}

/* The same for "module:function", also where the module is built into the kernel. */
static int rht_lookup(const char *symbol, unsigned long *addr)
{
	int ret = rht_probe(symbol, addr);

	if (ret != -ENOENT)
		return ret;
	ret = rht_probe(strchr(symbol, ':') + 1, addr);
	/* Another module may have a function of that name. */
	if (!ret && *addr >= MODULES_VADDR)
		ret = -ENOENT;
	return ret;
}

/* ftrace refuses to remove a hook: this module's text stays in use. */
static bool rht_stuck;

static void rht_unhook(struct ftrace_ops *ops)
{
	int ret = unregister_ftrace_function(ops);

	if (!ret) {
		ftrace_free_filter(ops);
		return;
	}
	if (!rht_stuck)
		pr_crit("raw_hrtimer: ftrace does not remove a hook (%d): the module cannot go before the next boot\n",
			ret);
	rht_stuck = true;
}

static int rht_hook(struct ftrace_ops *ops, unsigned long ip)
{
	int ret;

	if (rht_stuck)
		return -EBUSY;
	ret = ftrace_set_filter_ip(ops, ip, 0, 1);
	if (!ret)
		ret = register_ftrace_function(ops);
	if (ret)
		ftrace_free_filter(ops);
	return ret;
}

bool rht_hooked_possible(void)
{
	return true;
}

/*
 * Returns 0, or -ENODEV: its module is not loaded, -ENOENT: its module has no
 * such function, or ftrace's, as -EBUSY: a live patch has the function.
 */
int rht_hooked_find(enum rht_target_id id)
{
	struct rht_target *target = &rht_targets[id];
	unsigned long ip;
	int ret;

	if (target->hooked)
		return 0;
	ret = rht_lookup(target->symbol, &ip);
	/* Found where KVM is built into the kernel as well, and of Intel's and AMD's both are then. */
	if (ret == -ENOENT && rht_probe(target->witness, &ip) == -ENOENT)
		return -ENODEV;
	if (ret)
		return ret;
	ret = rht_hook(&target->ops, ip);
	if (ret)
		return ret;
	target->hooked = ip;
	return 0;
}

/* Has the hooks act on the targets of this mask, all of which were found, and on no others. */
void rht_hooked_use(unsigned int mask)
{
	unsigned long lowest = ULONG_MAX;
	int id;

	for (id = 0; id < RHT_TARGETS; id++) {
		unsigned long fn = mask & BIT(id) ? rht_targets[id].hooked : 0;

		WRITE_ONCE(rht_used[id], fn);
		if (fn)
			lowest = min(lowest, fn);
	}
	WRITE_ONCE(rht_lowest, lowest);
}

enum rht_kvm_module rht_hooked_module(enum rht_target_id id)
{
	return rht_targets[id].module;
}

/* Which target a timer is of, or RHT_TARGETS. */
enum rht_target_id rht_hooked_target(const struct hrtimer *timer)
{
	unsigned long fn = (unsigned long)ACCESS_PRIVATE(timer, function);
	int id = 0;

	while (id < RHT_TARGETS && READ_ONCE(rht_used[id]) != fn)
		id++;
	return id;
}

/* Removes the hook from a callback that is not used. */
void rht_hooked_drop(enum rht_target_id id)
{
	struct rht_target *target = &rht_targets[id];

	if (target->hooked)
		rht_unhook(&target->ops);
	target->hooked = 0;
}

/* Places the hooks that all timers share.  They act on none until rht_hooked_use(). */
int rht_hooked_place(void)
{
	unsigned long destroy, running, user;
	struct rht_function *function;
	int ret;

	ret = rht_lookup("kvm:kvm_arch_vcpu_destroy", &destroy);
	if (!ret)
		ret = rht_lookup("kvm:kvm_get_running_vcpu", &running);
	if (ret)
		return ret;
	rht_get_running_vcpu = (void *)running;

	function = &rht_functions[RHT_FUNCTIONS - 1];
	if (!rht_probe("hrtimer_start_range_ns_user", &user)) {
		rht_start_range_ns_user = (void *)user;
		function->ip = user;
	}

	rht_hrtimer_ops.func = destroy >= MODULES_VADDR ? rht_on_hrtimer : rht_on_hrtimer_builtin;

	ret = rht_hook(&rht_vcpu_ops, destroy);
	if (ret)
		return ret;
	if (rht_stuck)
		return -EBUSY;
	for (function = rht_functions; function < rht_functions + RHT_FUNCTIONS; function++) {
		if (function->ip && !ret)
			ret = ftrace_set_filter_ip(&rht_hrtimer_ops, function->ip, 0, 0);
	}
	if (!ret)
		ret = register_ftrace_function(&rht_hrtimer_ops);
	if (ret) {
		ftrace_free_filter(&rht_hrtimer_ops);
		rht_unhook(&rht_vcpu_ops);
	}
	return ret;
}

/* Removes them, and waits until no task is left in a replacement, not even preempted. */
void rht_hooked_remove(void)
{
	rht_unhook(&rht_hrtimer_ops);
	rht_unhook(&rht_vcpu_ops);
	synchronize_rcu_tasks();
}

/* Keeps the module's text where ftrace still calls it: the task that removes the module waits. */
void rht_hooked_stay_if_stuck(void)
{
	while (rht_stuck)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}
