// SPDX-License-Identifier: GPL-2.0
/*
 * The cases' files in debugfs, and their reports.  The modules for which this is
 * not a file of their own include it.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sprintf.h>
#include <linux/uaccess.h>

#include "test.h"

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
	for (int i = 0; all_cases[i]; i++)
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
	for (int i = 0; all_cases[i]; i++)
		for (const struct test_case *c = all_cases[i]; c->name; c++)
			seq_printf(m, "%s %s\n", c->name, c->args);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cases);

int cases_create(const char *name)
{
	dir = debugfs_create_dir(name, NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_file("cases", 0400, dir, NULL, &cases_fops);
	return PTR_ERR_OR_ZERO(dir);
}

void cases_remove(void)
{
	debugfs_remove(dir);
}
