/* SPDX-License-Identifier: GPL-2.0 */
/*
 * raw_hrtimer_test.ko: cases that a script runs one by one, by writing
 * "NAME [NUMBER...]" to /sys/kernel/debug/raw_hrtimer_test/run.  What each one
 * found is in the file result beside it: lines that begin with ok or not ok,
 * and "# NAME: VALUE" for numbers.  careless/ has cases of its own, in
 * raw_hrtimer_careless/run.
 */
#ifndef RAW_HRTIMER_TEST_H
#define RAW_HRTIMER_TEST_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/raw_hrtimer.h>
#include <linux/smp.h>
#include <linux/types.h>
#include <asm/tsc.h>

#define MAX_ARGS 3

struct test_case {
	const char *name;
	void (*run)(const u64 *args);
	const char *args;	/* what they are, for the list of cases */
	u64 defaults[MAX_ARGS];
};

/* Each module's, NULL at the end. */
extern const struct test_case * const all_cases[];

int cases_create(const char *name);
void cases_remove(void);

extern const struct test_case calc_cases[];
extern const struct test_case arm_cases[];
extern const struct test_case bad_cases[];
extern const struct test_case node_cases[];
extern const struct test_case many_cases[];
extern const struct test_case stress_cases[];
extern const struct test_case soak_cases[];
extern const struct test_case growth_cases[];
extern const struct test_case left_cases[];
extern const struct test_case cost_cases[];
extern const struct test_case compare_cases[];
extern const struct test_case faster_cases[];
extern const struct test_case listener_cases[];
extern const struct test_case lag_cases[];
extern const struct test_case long_cases[];

void compare_exit(void);

bool irqs_watch(int cpu);
void irqs_unwatch(void);
unsigned int irqs_between(u64 from, u64 to);
unsigned int irqs_seen(void);

/* Module parameter: more cycles after a deadline than this fail.  0: any. */
extern ulong max_late;

/* Module parameter: the clockevent counts the TSC. */
extern bool coupled;

/* Module parameter: how many nodes at once. */
extern uint nodes;

__printf(2, 3) void check(bool ok, const char *fmt, ...);
__printf(1, 2) void report(const char *fmt, ...);

/* A distance in TSC cycles, of about so long. */
static inline u64 us_to_cycles(u64 us)
{
	return us * tsc_khz / 1000;
}

static inline unsigned long cycles_to_wait(u64 cycles)
{
	return msecs_to_jiffies(cycles / tsc_khz);
}

/**
 * struct shot - a timer and what became of it
 * @timer:	hrtimer
 * @tt:		node beside it, if @is_node
 * @is_node:	started and restarted through the node functions
 * @deadline:	TSC value before which it must not fire
 * @first:	TSC at the first call of the callback, before raw_hrtimer is
 *		asked: what the expiry alone achieves
 * @fired:	TSC when the callback went on to do its work; 0 before
 * @calls:	calls of the callback
 * @fires:	calls that went on to do the work
 * @as_plain:	the clocksource was not the TSC then: it may be early
 * @done:	completed with @fires
 */
struct shot {
	struct hrtimer timer;
	struct tsc_timer tt;
	bool is_node;
	u64 deadline;
	u64 first;
	u64 fired;
	unsigned int calls;
	unsigned int fires;
	bool as_plain;
	struct completion done;
};

void shot_init(struct shot *shot, bool is_node, enum hrtimer_mode mode);
bool shot_start(struct shot *shot, u64 deadline, enum hrtimer_mode mode);
bool shot_wait(struct shot *shot);
bool shot_cancel(struct shot *shot);
bool shot_cancel_only(struct shot *shot);
u64 shot_late(const struct shot *shot);
void check_shot(struct shot *shot, const char *what);

/* Of many shots a CPU's: every stride-th from first on. */
struct share {
	unsigned int first, stride;
};

struct shot *shots_alloc(const char *what, u64 n, enum hrtimer_mode mode);
unsigned int shots_share_out(smp_call_func_t start, unsigned int cpus);

void left_exit(void);

#endif /* RAW_HRTIMER_TEST_H */
