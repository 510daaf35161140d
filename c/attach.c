// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks for a KVM that offers no registration point: ftrace on
 * hrtimer_start_range_ns(), on __hrtimer_get_remaining() and on the callbacks
 * of KVM's timers, found by name.  What is done there is Rust's to decide, and
 * a timer is looked at only inside a call that was given it.
 */
#include <linux/ftrace.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <asm/ibt.h>

#include "shim.h"

#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) && defined(CONFIG_KPROBES)

struct rht_target {
	enum rht_kvm_module module;
	const char *symbol;
	const char *witness;		/* what its module has in any case */
	unsigned long hooked;		/* where ftrace has its hook */
	struct ftrace_ops ops;		/* its own: one that is refused costs no other */
};

static void rht_on_callback(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs);

/*
 * PERMANENT: ftrace cannot be switched off by sysctl while they are there.
 * Not RECURSION, with which ftrace guards against it at a price: none of the
 * handlers calls a function that it is a handler of.
 */
#define RHT_OPS(handler, more) {					\
	.func	= (handler),						\
	.flags	= FTRACE_OPS_FL_PERMANENT | (more),			\
}

/* Each module has __this_module, which can be found, but not probed: it is no code. */
#define RHT_TARGET(id, mod, function) {					\
	.module		= (id),						\
	.symbol		= mod ":" function,				\
	.witness	= mod ":__this_module",			\
	.ops		= RHT_OPS(rht_on_callback, FTRACE_OPS_FL_IPMODIFY),	\
}

static struct rht_target rht_targets[RHT_TARGETS] = {
	[RHT_NESTED]	= RHT_TARGET(RHT_KVM_INTEL, "kvm_intel", "vmx_preemption_timer_fn"),
	[RHT_LAPIC]	= RHT_TARGET(RHT_KVM, "kvm", "apic_timer_fn"),
	[RHT_HYPERV]	= RHT_TARGET(RHT_KVM, "kvm", "stimer_timer_callback"),
	[RHT_XEN]	= RHT_TARGET(RHT_KVM, "kvm", "xen_timer_callback"),
};

/* Called in place of a callback that is early, and so with its argument. */
static notrace enum hrtimer_restart rht_early(struct hrtimer *timer)
{
	rust_raw_hrtimer_early(timer);
	return HRTIMER_RESTART;
}

/* Called in place of __hrtimer_get_remaining() for a timer that has a record. */
static notrace ktime_t rht_remaining(const struct hrtimer *timer, bool adjust)
{
	return rust_raw_hrtimer_remaining((struct hrtimer *)timer);
}

/*
 * The callbacks of the timers in use, 0 where there is none.  Beside the table,
 * because every hrtimer of the machine is compared with them.
 */
static unsigned long rht_used[RHT_TARGETS] __read_mostly;

static notrace __always_inline bool rht_is_target(const struct hrtimer *timer)
{
	unsigned long fn = (unsigned long)ACCESS_PRIVATE(timer, function);

	/* One of the kernel's own needs no further look: KVM is a module here. */
	return fn >= MODULES_VADDR &&
	       (fn == READ_ONCE(rht_used[RHT_NESTED]) || fn == READ_ONCE(rht_used[RHT_LAPIC]) ||
		fn == READ_ONCE(rht_used[RHT_HYPERV]) || fn == READ_ONCE(rht_used[RHT_XEN]));
}

/* Apart, so that nobody else's timer pays for what it needs on the stack. */
static notrace noinline void rht_start_target(struct hrtimer *timer, struct pt_regs *regs)
{
	regs->si = rust_raw_hrtimer_stock_start(timer, regs->si);
}

static notrace void rht_on_start(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;
	struct hrtimer *timer = (struct hrtimer *)regs->di;

	if (unlikely(rht_is_target(timer)))
		rht_start_target(timer, regs);
}

static notrace void rht_on_callback(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hrtimer *timer = (struct hrtimer *)ftrace_regs_get_argument(fregs, 0);

	/* KVM calls some of them itself: then the timer has not expired. */
	if (hrtimer_callback_running(timer) && rust_raw_hrtimer_is_early(timer))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)rht_early);
}

static notrace void rht_on_remaining(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hrtimer *timer = (struct hrtimer *)ftrace_regs_get_argument(fregs, 0);

	if (rht_is_target(timer) && rust_raw_hrtimer_has_record(timer))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)rht_remaining);
}

static struct ftrace_ops rht_start_ops = RHT_OPS(rht_on_start, 0);
static struct ftrace_ops rht_remaining_ops = RHT_OPS(rht_on_remaining, FTRACE_OPS_FL_IPMODIFY);

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
 * Finds a function by a probe that is registered and at once unregistered.  It is
 * never armed: nothing is patched for it, and a kernel whose ftrace is switched off
 * does not keep flags of it, which would make ftrace give up later.
 * Returns 0, or -ENOENT: there is no such symbol, or why it cannot be probed.
 */
static int rht_lookup(const char *symbol, unsigned long *addr)
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

static int rht_hook(struct ftrace_ops *ops, unsigned long ip)
{
	int ret;

	ret = ftrace_set_filter_ip(ops, ip, 0, 1);
	if (!ret)
		ret = register_ftrace_function(ops);
	if (ret)
		ftrace_free_filter(ops);
	return ret;
}

static void rht_unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

bool rht_stock_possible(void)
{
	return true;
}

/*
 * Returns 0, or -ENODEV: its module is not loaded, -ENOENT: its module has no
 * such function, or ftrace's, as -EBUSY: a live patch has the function.
 */
int rht_stock_find(enum rht_target_id id)
{
	struct rht_target *target = &rht_targets[id];
	unsigned long ip;
	int ret;

	if (target->hooked)
		return 0;
	ret = rht_lookup(target->symbol, &ip);
	if (ret == -ENOENT && rht_lookup(target->witness, &ip) == -ENOENT)
		return -ENODEV;
	if (ret)
		return ret;
	/* A timer must not be moved before its callback can see that it was. */
	ret = rht_hook(&target->ops, ip);
	if (ret)
		return ret;
	target->hooked = ip;
	return 0;
}

void rht_stock_use(enum rht_target_id id)
{
	WRITE_ONCE(rht_used[id], rht_targets[id].hooked);
}

bool rht_stock_used(enum rht_target_id id)
{
	return READ_ONCE(rht_used[id]);
}

enum rht_kvm_module rht_stock_module(enum rht_target_id id)
{
	return rht_targets[id].module;
}

void rht_stock_leave(enum rht_target_id id)
{
	WRITE_ONCE(rht_used[id], 0);
}

void rht_stock_drop(enum rht_target_id id)
{
	struct rht_target *target = &rht_targets[id];

	if (target->hooked)
		rht_unhook(&target->ops);
	target->hooked = 0;
}

int rht_stock_hook(void)
{
	int ret;

	ret = rht_hook(&rht_remaining_ops, (unsigned long)__hrtimer_get_remaining);
	if (ret)
		return ret;
	ret = rht_hook(&rht_start_ops, (unsigned long)hrtimer_start_range_ns);
	if (ret)
		rht_unhook(&rht_remaining_ops);
	return ret;
}

void rht_stock_unhook_start(void)
{
	rht_unhook(&rht_start_ops);
}

void rht_stock_unhook(void)
{
	rht_unhook(&rht_remaining_ops);
	/* Nobody is left in what it was replaced by, not even preempted. */
	synchronize_rcu_tasks();
}

#else

bool rht_stock_possible(void)
{
	return false;
}

int rht_stock_find(enum rht_target_id id)
{
	return -EOPNOTSUPP;
}

void rht_stock_use(enum rht_target_id id)
{
}

void rht_stock_leave(enum rht_target_id id)
{
}

void rht_stock_drop(enum rht_target_id id)
{
}

int rht_stock_hook(void)
{
	return -EOPNOTSUPP;
}

bool rht_stock_used(enum rht_target_id id)
{
	return false;
}

enum rht_kvm_module rht_stock_module(enum rht_target_id id)
{
	return RHT_KVM;
}

void rht_stock_unhook_start(void)
{
}

void rht_stock_unhook(void)
{
}

#endif
