// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters: Rust's do not appear under /sys/module.
 */
#include <linux/module.h>
#include <linux/string.h>

#include "shim.h"

MODULE_VERSION(RAW_HRTIMER_VERSION);	/* see Kbuild */

/* A parameter that is one of several words. */
struct rht_choice {
	const char * const *words;	/* up to NULL */
	const char *list;		/* the same, as they are told */
	int chosen;
};

static int rht_choice_set(const char *value, const struct kernel_param *kp)
{
	struct rht_choice *choice = kp->arg;
	int found = __sysfs_match_string(choice->words, -1, value);

	if (found < 0) {
		pr_err("raw_hrtimer: %s=%s is none of %s\n", kp->name, value, choice->list);
		return found;
	}
	choice->chosen = found;
	return 0;
}

static int rht_choice_get(char *buffer, const struct kernel_param *kp)
{
	const struct rht_choice *choice = kp->arg;

	return sysfs_emit(buffer, "%s\n", choice->words[choice->chosen]);
}

static const struct kernel_param_ops rht_choice_ops = {
	.set	= rht_choice_set,
	.get	= rht_choice_get,
};

static struct rht_choice rht_attach __ro_after_init = {
	.words	= (const char * const []){
		[RHT_ATTACH_AUTO]	= "auto",
		[RHT_ATTACH_REGISTERED]	= "registered",
		[RHT_ATTACH_HOOKED]	= "hooked",
		[RHT_ATTACH_OFF]	= "off",
		NULL
	},
	.list	= "auto, registered, hooked, off",
};

module_param_cb(attach, &rht_choice_ops, &rht_attach, 0400);
__MODULE_PARM_TYPE(attach, "string");
MODULE_PARM_DESC(attach, "how to attach to KVM: auto (registered if it offers that, else hooked; the default), registered (insmod fails if KVM does not offer it), hooked (its timers are hooked in any case), off");

static bool rht_rearm = true;
module_param_named(rearm, rht_rearm, bool, 0600);
MODULE_PARM_DESC(rearm, "re-arm pending timers when the clock slows down (default: Y; N is for measuring)");

static bool rht_targets[RHT_TARGETS] = { true, true, true, true };

#define RHT_TARGET_PARAM(name, id, what)				\
	module_param_named(name, rht_targets[id], bool, 0400);		\
	MODULE_PARM_DESC(name, "hook " what " of a KVM that is not patched (default: Y)")

RHT_TARGET_PARAM(nested, RHT_NESTED, "the nested VMX-preemption timer");
RHT_TARGET_PARAM(lapic, RHT_LAPIC, "the LAPIC timer");
RHT_TARGET_PARAM(hyperv, RHT_HYPERV, "the Hyper-V synthetic timers");
RHT_TARGET_PARAM(xen, RHT_XEN, "the Xen timer");

bool rht_param_target(enum rht_target_id id)
{
	return rht_targets[id];
}

enum rht_attach rht_param_attach(void)
{
	return rht_attach.chosen;
}


bool rht_param_rearm(void)
{
	return READ_ONCE(rht_rearm);
}
