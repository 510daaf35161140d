// SPDX-License-Identifier: GPL-2.0
/*
 * Registration with a KVM that offers it.  KVM is reached by symbol_get(): the
 * module loads without it, before it and after it, and does not pin it.
 */
#include <linux/module.h>
#include <linux/string.h>

#include "shim.h"

/*
 * CFI compares a function's type with the caller's.  Rust's has an integer where C has an
 * enum, so KVM may call C's alone.
 */
static const struct tsc_timer_ops rht_kvm_ops = {
	.start		= IS_ENABLED(CONFIG_CFI) ? raw_hrtimer_node_start :
						   rust_raw_hrtimer_node_start,
	.restart	= rust_raw_hrtimer_node_restart,
	.cancel		= rust_raw_hrtimer_node_cancel,
	.remove		= rust_raw_hrtimer_node_remove,
	.owner		= THIS_MODULE,
};

/* Returns -ENOENT if KVM is not loaded, or is not patched. */
int rht_kvm_register(void)
{
	int (*reg)(const struct tsc_timer_ops *ops);
	int ret;

	reg = symbol_get(kvm_register_tsc_timer_ops);
	if (!reg)
		return -ENOENT;
	ret = reg(&rht_kvm_ops);
	symbol_put(kvm_register_tsc_timer_ops);
	return ret;
}

/*
 * kvm.ko may have been removed, or is being removed: then it has no guest left and calls no
 * provider, and there is nothing to unregister from.
 */
void rht_kvm_unregister(void)
{
	void (*unreg)(const struct tsc_timer_ops *ops);

	unreg = symbol_get(kvm_unregister_tsc_timer_ops);
	if (!unreg)
		return;
	unreg(&rht_kvm_ops);
	symbol_put(kvm_unregister_tsc_timer_ops);
}

static const char * const rht_kvm_modules[RHT_KVM_MODULES] = {
	[RHT_KVM]	= "kvm",
	[RHT_KVM_INTEL]	= "kvm_intel",
	[RHT_KVM_AMD]	= "kvm_amd",
};

/* Module notifier: calls Rust when one of KVM's modules is live, and when it is going. */
static int rht_kvm_notify(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *mod = data;
	int module = match_string(rht_kvm_modules, RHT_KVM_MODULES, mod->name);

	if (module < 0)
		return NOTIFY_DONE;
	if (state == MODULE_STATE_LIVE)
		rust_raw_hrtimer_kvm_live();
	else if (state == MODULE_STATE_GOING)
		rust_raw_hrtimer_kvm_going(module);
	return NOTIFY_DONE;
}

static struct notifier_block rht_kvm_nb = { .notifier_call = rht_kvm_notify };

int rht_kvm_notifier_register(void)
{
	return register_module_notifier(&rht_kvm_nb);
}

void rht_kvm_notifier_unregister(void)
{
	unregister_module_notifier(&rht_kvm_nb);
}
