// SPDX-License-Identifier: GPL-2.0
/*
 * raw_hrtimer_test_rival.ko: another that replaces a function, as a live patch
 * does, and changes nothing: with ftrace, one such can have a function.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/string.h>

MODULE_DESCRIPTION("A hook that keeps raw_hrtimer's away from a function");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

static char *function;
module_param(function, charp, 0400);
MODULE_PARM_DESC(function, "the function to be hooked");

static notrace void replace_nothing(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func	= replace_nothing,
	.flags	= FTRACE_OPS_FL_IPMODIFY,
};

static int __init rival_init(void)
{
	int ret;

	if (!function)
		return -EINVAL;
	ret = ftrace_set_filter(&ops, function, strlen(function), 1);
	if (!ret)
		ret = register_ftrace_function(&ops);
	if (ret)
		ftrace_free_filter(&ops);
	return ret;
}
module_init(rival_init);

static void __exit rival_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}
module_exit(rival_exit);
