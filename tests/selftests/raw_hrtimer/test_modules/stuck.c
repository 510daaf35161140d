// SPDX-License-Identifier: GPL-2.0
/*
 * raw_hrtimer_test_stuck.ko: as it is loaded ftrace gives up, as it does by itself where
 * it finds code that it does not expect.  Hooks that are in place go on being called, and
 * none can be placed or removed before the next boot.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

MODULE_DESCRIPTION("Has ftrace give up");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

static int __init stuck_init(void)
{
	struct kprobe probe = { .symbol_name = "ftrace_kill", .flags = KPROBE_FLAG_DISABLED };
	void (*kill)(void);
	int ret;

	/* Not exported: found by a probe that is never armed. */
	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	kill = (void *)probe.addr;
	unregister_kprobe(&probe);
	kill();
	return 0;
}
module_init(stuck_init);

static void __exit stuck_exit(void)
{
}
module_exit(stuck_exit);
