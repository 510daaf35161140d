// SPDX-License-Identifier: GPL-2.0
/*
 * raw_hrtimer_test.ko: the exported functions, case by case.
 */
#include <linux/module.h>

#include "test.h"

MODULE_DESCRIPTION("Tests of raw_hrtimer's exported functions");
MODULE_AUTHOR("raw_hrtimer maintainers");
MODULE_LICENSE("GPL");

ulong max_late;
module_param(max_late, ulong, 0600);
MODULE_PARM_DESC(max_late, "fail if a callback runs so many cycles after its deadline (0: never)");

bool coupled;
module_param(coupled, bool, 0400);
MODULE_PARM_DESC(coupled, "the clockevent is the TSC-deadline timer");

uint nodes = 256;
module_param(nodes, uint, 0600);
MODULE_PARM_DESC(nodes, "how many nodes the cases with many have (1 to 65536)");

const struct test_case * const all_cases[] = {
	calc_cases, arm_cases, bad_cases, node_cases, many_cases, stress_cases, soak_cases,
	growth_cases, left_cases, cost_cases, compare_cases, faster_cases,
	listener_cases, lag_cases, long_cases, NULL
};

static int __init test_init(void)
{
	/* Older kernels program the TSC-deadline timer in nanoseconds, too. */
	coupled = coupled && IS_ENABLED(CONFIG_GENERIC_CLOCKEVENTS_COUPLED);
	return cases_create("raw_hrtimer_test");
}
module_init(test_init);

static void __exit test_exit(void)
{
	cases_remove();
	compare_exit();
	left_exit();
}
module_exit(test_exit);
