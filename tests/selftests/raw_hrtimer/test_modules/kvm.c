// SPDX-License-Identifier: GPL-2.0
/*
 * raw_hrtimer_test_kvm.ko: another provider of KVM's TSC timers, which refuses
 * every one of them.  It can be loaded where KVM takes it, and only there:
 * insmod fails with what the registration returned.
 */
#include <linux/module.h>
#include <linux/tsc_timer.h>

MODULE_DESCRIPTION("A provider of KVM's TSC timers that refuses them all");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

static bool incomplete;
module_param(incomplete, bool, 0400);
MODULE_PARM_DESC(incomplete, "offer operations of which one is missing");

static bool refuse_start(struct tsc_timer *timer, enum hrtimer_mode mode)
{
	return false;
}

static bool refuse_restart(struct tsc_timer *timer)
{
	return false;
}

static void forget(struct tsc_timer *timer)
{
}

static struct tsc_timer_ops ops = {
	.start		= refuse_start,
	.restart	= refuse_restart,
	.cancel		= forget,
	.remove		= forget,
	.owner		= THIS_MODULE,
};

static int __init provider_init(void)
{
	typeof(&kvm_register_tsc_timer_ops) reg = symbol_get(kvm_register_tsc_timer_ops);
	int ret;

	if (!reg)
		return -ENOENT;
	if (incomplete)
		ops.restart = NULL;
	ret = reg(&ops);
	symbol_put(kvm_register_tsc_timer_ops);
	return ret;
}
module_init(provider_init);

static void __exit provider_exit(void)
{
	typeof(&kvm_unregister_tsc_timer_ops) unreg = symbol_get(kvm_unregister_tsc_timer_ops);

	if (!unreg)
		return;
	unreg(&ops);
	symbol_put(kvm_unregister_tsc_timer_ops);
}
module_exit(provider_exit);
