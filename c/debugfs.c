// SPDX-License-Identifier: GPL-2.0
/*
 * The files under /sys/kernel/debug/raw_hrtimer.  Those that the kernel crate
 * makes have no owner: one that is open while the module goes takes the kernel
 * with it.  These hold the module.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "shim.h"

#define RHT_FILE(name)							\
static int name##_show(struct seq_file *seq, void *unused)		\
{									\
	rust_raw_hrtimer_show_##name(seq);				\
	return 0;							\
}									\
DEFINE_SHOW_ATTRIBUTE(name)

RHT_FILE(rate);
RHT_FILE(counters);
RHT_FILE(attach);

static struct dentry *rht_dir;

/* Without debugfs there are no files, and that is no error. */
void rht_debugfs_create(void)
{
	rht_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("rate", 0400, rht_dir, NULL, &rate_fops);
	debugfs_create_file("counters", 0400, rht_dir, NULL, &counters_fops);
	debugfs_create_file("attach", 0400, rht_dir, NULL, &attach_fops);
}

void rht_debugfs_remove(void)
{
	debugfs_remove(rht_dir);
}
