// SPDX-License-Identifier: GPL-2.0
/*
 * In place of hooked.c and hooks.c, for a kernel without ftrace with arguments, or
 * without kprobes: no KVM can be hooked.
 */
#include "shim.h"

void *rht_running_vcpu(void)
{
	return NULL;
}

bool rht_hooked_possible(void)
{
	return false;
}

int rht_hooked_find(enum rht_target_id id)
{
	return -EOPNOTSUPP;
}

void rht_hooked_use(unsigned int mask)
{
}

bool rht_hooked_used(enum rht_target_id id)
{
	return false;
}

enum rht_kvm_module rht_hooked_module(enum rht_target_id id)
{
	return RHT_KVM;
}

enum rht_target_id rht_hooked_target(const struct hrtimer *timer)
{
	return RHT_TARGETS;
}

void rht_hooked_drop(enum rht_target_id id)
{
}

int rht_hooked_place(void)
{
	return -EOPNOTSUPP;
}

void rht_hooked_remove(void)
{
}

void rht_hooked_stay_if_stuck(void)
{
}
