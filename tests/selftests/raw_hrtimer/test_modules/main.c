// SPDX-License-Identifier: GPL-2.0
/*
 * The cases' files in debugfs, and their reports.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/uaccess.h>

#include "test.h"

MODULE_DESCRIPTION("Tests of raw_hrtimer's exported functions");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

ulong max_late;
module_param(max_late, ulong, 0600);
MODULE_PARM_DESC(max_late, "fail if a callback runs so many cycles after its deadline (0: never)");

uint nodes = 256;
module_param(nodes, uint, 0600);
MODULE_PARM_DESC(nodes, "how many nodes the cases with many have (1 to 65536)");

static const struct test_case * const all_cases[] = {
	calc_cases, arm_cases, bad_cases, node_cases, many_cases, stress_cases, soak_cases,
	growth_cases, left_cases, cost_cases, compare_cases, listener_cases,
};

static DEFINE_MUTEX(run_lock);
static char result[4 * PAGE_SIZE];
static size_t length;
static struct dentry *dir;

/* What does not fit is left out, and the line break with it. */
static __printf(2, 0) void add_line(const char *prefix, const char *fmt, va_list args)
{
	length += scnprintf(result + length, sizeof(result) - length, "%s", prefix);
	length += vscnprintf(result + length, sizeof(result) - length, fmt, args);
	length += scnprintf(result + length, sizeof(result) - length, "\n");
}

static bool is_full(void)
{
	return length == sizeof(result) - 1;
}

void check(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(ok ? "ok " : "not ok ", fmt, args);
	va_end(args);
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line("# ", fmt, args);
	va_end(args);
}

static const struct test_case *find_case(const char *name)
{
	for (int i = 0; i < ARRAY_SIZE(all_cases); i++)
		for (const struct test_case *c = all_cases[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static int run_line(char *line)
{
	const struct test_case *c = find_case(strsep(&line, " ") ?: "");
	u64 args[MAX_ARGS];
	char *word;
	int n = 0;

	if (!c)
		return -EINVAL;
	memcpy(args, c->defaults, sizeof(args));
	while ((word = strsep(&line, " "))) {
		if (n == MAX_ARGS || kstrtou64(word, 0, &args[n++]))
			return -EINVAL;
	}

	guard(mutex)(&run_lock);
	length = 0;
	c->run(args);
	if (is_full()) {
		length = 0;
		check(false, "%s: more to report than there is room for", c->name);
	}
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *from, size_t count, loff_t *pos)
{
	char *line __free(kfree) = NULL;
	int ret;

	if (count > 100)
		return -EINVAL;
	line = memdup_user_nul(from, count);
	if (IS_ERR(line))
		return PTR_ERR(no_free_ptr(line));
	ret = run_line(strim(line));
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner	= THIS_MODULE,
	.write	= run_write,
};

static int result_show(struct seq_file *m, void *unused)
{
	guard(mutex)(&run_lock);
	seq_write(m, result, length);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static int cases_show(struct seq_file *m, void *unused)
{
	for (int i = 0; i < ARRAY_SIZE(all_cases); i++)
		for (const struct test_case *c = all_cases[i]; c->name; c++)
			seq_printf(m, "%s %s\n", c->name, c->args);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cases);

static int __init test_init(void)
{
	dir = debugfs_create_dir("raw_hrtimer_test", NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_file("cases", 0400, dir, NULL, &cases_fops);
	return PTR_ERR_OR_ZERO(dir);
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove(dir);
	compare_exit();
	left_exit();
}
module_exit(test_exit);
