// SPDX-License-Identifier: GPL-2.0
/*
 * kvm.ko, but a careless one: see vcpu.h.
 */
#include <linux/module.h>

#include "vcpu.h"

MODULE_DESCRIPTION("A careless KVM, for tests of raw_hrtimer");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

const struct test_case * const all_cases[] = { far_cases, storm_cases, blind_cases, NULL };

static int __init careless_init(void)
{
	return cases_create("raw_hrtimer_careless");
}
module_init(careless_init);

static void __exit careless_exit(void)
{
	cases_remove();
	far_exit();
}
module_exit(careless_exit);
