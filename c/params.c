// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters: Rust's do not appear under /sys/module.
 */
#include <linux/module.h>
#include <linux/string.h>

#include "shim.h"

MODULE_VERSION("0.1.0");

static const char * const rht_attach_names[] = {
	[RHT_ATTACH_AUTO]	= "auto",
	[RHT_ATTACH_REGISTERED]	= "registered",
	[RHT_ATTACH_OFF]	= "off",
};

static enum rht_attach rht_attach;

static int rht_attach_set(const char *value, const struct kernel_param *kp)
{
	int way = sysfs_match_string(rht_attach_names, value);

	if (way < 0) {
		pr_err("raw_hrtimer: attach=%s is none of auto, registered, off\n", value);
		return way;
	}
	rht_attach = way;
	return 0;
}

static int rht_attach_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", rht_attach_names[rht_attach]);
}

static const struct kernel_param_ops rht_attach_ops = {
	.set	= rht_attach_set,
	.get	= rht_attach_get,
};

module_param_cb(attach, &rht_attach_ops, NULL, 0400);
__MODULE_PARM_TYPE(attach, "string");
MODULE_PARM_DESC(attach, "which KVM to attach to: auto (one that offers it, the default), registered (insmod fails if the KVM that is loaded does not), off (none)");

static bool rht_rearm = true;
module_param_named(rearm, rht_rearm, bool, 0600);
MODULE_PARM_DESC(rearm, "re-arm pending timers when the clock slows down (default: Y; N is for measuring)");

enum rht_attach rht_param_attach(void)
{
	return rht_attach;
}

bool rht_param_rearm(void)
{
	return READ_ONCE(rht_rearm);
}
