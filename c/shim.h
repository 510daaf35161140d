/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C and the Rust half of the module see of each other.  bindgen reads
 * this file: Rust calls what is declared here, and its entry points are checked
 * against the rust_raw_hrtimer_*() prototypes.
 */
#ifndef RAW_HRTIMER_SHIM_H
#define RAW_HRTIMER_SHIM_H

#include <linux/clocksource.h>
#ifdef HAVE_HRTIMER_BASES
#include <linux/hrtimer_bases.h>	/* linux/hrtimer.h has it all before 7.3 */
#endif
#include <linux/notifier.h>
#include <linux/percpu-defs.h>
#include <linux/pvclock_gtod.h>
#include <linux/raw_hrtimer.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/timekeeper_internal.h>
#include <linux/tracepoint-defs.h>

/*
 * A CPU's pending tsc_timers: those that a pass has yet to compare (@due), and the rest;
 * whether the CPU was called to serve them and has not begun; and for how long they are left
 * alone until the next batch, in ns.
 */
struct rht_queue {
	raw_spinlock_t		lock;
	struct list_head	pending;
	struct list_head	due;
	bool			called;
	u32			pause;
};

enum rht_counter {
	RHT_STARTS,
	RHT_RESTARTS,
	RHT_PAST,
	RHT_SATURATED,
	RHT_PLAIN,
	RHT_NO_ROOM,
	RHT_UNSEEN,
	RHT_WRONG_CLOCK,
	RHT_WRONG_MODE,
	RHT_PASSES,
	RHT_REARMS,
	RHT_COUNTERS
};

/* Parameter attach. */
enum rht_attach {
	RHT_ATTACH_AUTO,
	RHT_ATTACH_REGISTERED,
	RHT_ATTACH_HOOKED,
	RHT_ATTACH_OFF,
};

/* KVM's timers, by their callbacks. */
enum rht_target_id {
	RHT_NESTED,
	RHT_LAPIC,
	RHT_HYPERV,
	RHT_XEN,
	RHT_TARGETS
};

/* KVM's modules. */
enum rht_kvm_module {
	RHT_KVM,
	RHT_KVM_INTEL,
	RHT_KVM_AMD,
	RHT_KVM_MODULES
};

/*
 * What is kept of a hooked timer, whose address is node.timer.  An entry is in two chains: by
 * that address and by its vCPU; in the pool it uses the second.
 */
struct rht_entry {
	struct tsc_timer	node;
	struct rht_entry	*next;
	struct rht_entry	*next_of_vcpu;	/* this and @vcpu: an rcu_head when it is freed */
	void			*vcpu;
	ktime_t			target;		/* the expiry that KVM last asked for */
	s64			period;		/* a periodic timer's, in KVM's nanoseconds */
	s64			since;		/* nanoseconds from @origin to the deadline */
	u64			origin;		/* the deadline that periods are counted from */
	bool			known;		/* whether @node.deadline is the timer's */
};

/* What becomes of a call of a hooked timer's callback. */
enum rht_verdict {
	RHT_PASS,
	RHT_EARLY,
	RHT_WRAP,
};

/* bindgen's view of a structure of which Rust needs one field. */
enum rht_offset {
	RHT_CLOCKSOURCE_ID = offsetof(struct clocksource, id),
};

/* The C compiler's view of what the listener reads, see rust/ffi/clock.rs. */
struct rht_layout {
	size_t tkr_mono, tkr_raw, timekeeper;
	size_t clock, cycle_last, mult, shift, xtime_nsec, base, tk_read_base;
	size_t clocksource_id;
};

extern const struct rht_layout rht_layout;

/* Above all marks that stand for a snapshot: rust/clock/snapshot.rs. */
#define RHT_UNCOUPLED	0x8000000000000000ULL

extern u64 rht_uncoupled;
DECLARE_PER_CPU(u64, rht_mark);
void rht_set_mark(u64 mark);
ktime_t rht_event_expiry(void);
void rht_renew_event(u64 mark);
void rht_renew_elsewhere(void);
void rht_renew_flush(void);
void rht_clockevent_watch(void);
void rht_clockevent_unwatch(void);

bool rht_is_monotonic(const struct hrtimer *timer);
bool rht_is_queued(struct hrtimer *timer);
int rht_timer_cpu(const struct hrtimer *timer);
void rht_warn_clock(void);
void rht_warn_mode(void);

DECLARE_PER_CPU(struct rht_queue, rht_queues);
void rht_queues_init(void);
struct rht_queue *rht_queue_lock(int cpu, unsigned long *flags);
struct rht_queue *rht_queue_lock_nested(int cpu, unsigned long *flags);
void rht_queue_unlock(struct rht_queue *queue, unsigned long flags);
void rht_queue_add(struct rht_queue *queue, struct tsc_timer *tt);
void rht_queue_remove(struct tsc_timer *tt);
void rht_queue_transfer(struct rht_queue *to, struct tsc_timer *tt);
bool rht_queue_is_empty(struct rht_queue *queue);
void rht_queue_begin_pass(struct rht_queue *queue);
struct list_head *rht_queue_first_due(struct rht_queue *queue);
void rht_queue_advance(struct rht_queue *queue, struct tsc_timer *tt);
void rht_queue_postpone(struct rht_queue *queue, struct tsc_timer *tt);
int rht_next_cpu(int cpu);

int rht_gtod_register(void);
void rht_gtod_unregister(void);
void rht_tsc_restarted(void);

void rht_pass_init(void);
void rht_pass_queue(void);
bool rht_rearm_on(int cpu);
void rht_rearm_more(int cpu, u32 pause);
void rht_pass_flush(void);

DECLARE_PER_CPU(u64 [RHT_COUNTERS], rht_counters);
u64 rht_counter_sum(enum rht_counter counter);

enum rht_attach rht_param_attach(void);
bool rht_param_rearm(void);
bool rht_param_target(enum rht_target_id id);

/* trace.h defines them; Rust tests their keys and calls the functions. */
DECLARE_TRACEPOINT(start);
DECLARE_TRACEPOINT(expire);
DECLARE_TRACEPOINT(rearm);
DECLARE_TRACEPOINT(rate);
DECLARE_TRACEPOINT(attach);
void rht_trace_start(const struct hrtimer *timer, u64 deadline, ktime_t expires);
void rht_trace_expire(const struct hrtimer *timer, u64 deadline, u64 tsc);
void rht_trace_rearm(const struct hrtimer *timer, u64 deadline, ktime_t expires);
void rht_trace_rate(void);
void rht_trace_flush(void);
void rht_trace_attach(enum rht_attach way);

void rht_debugfs_create(void);
void rht_debugfs_remove(void);

int rht_kvm_register(void);
void rht_kvm_unregister(void);
int rht_kvm_notifier_register(void);
void rht_kvm_notifier_unregister(void);

u32 rht_tsc_khz(void);
bool rht_hooked_possible(void);
int rht_hooked_find(enum rht_target_id id);
void rht_hooked_use(unsigned int mask);
bool rht_hooked_used(enum rht_target_id id);
void rht_hooked_drop(enum rht_target_id id);
enum rht_kvm_module rht_hooked_module(enum rht_target_id id);
enum rht_target_id rht_hooked_target(const struct hrtimer *timer);
int rht_hooked_place(void);
void rht_hooked_remove(void);
void rht_hooked_stay_if_stuck(void);
void *rht_running_vcpu(void);

unsigned long rht_irq_save(void);
void rht_irq_restore(unsigned long flags);
unsigned long rht_entries_lock(void);
void rht_entries_unlock(unsigned long flags);
void rht_entries_queue_work(void);
void rht_entries_flush_work(void);
void rht_entry_free(struct rht_entry *entry);
unsigned int rht_possible_cpus(void);

/* Rust's, called from the shim. */
int rust_raw_hrtimer_update(struct notifier_block *nb, unsigned long was_set, void *tk);
void rust_raw_hrtimer_start(struct hrtimer *timer, u64 deadline, enum hrtimer_mode mode);
bool rust_raw_hrtimer_restart(struct hrtimer *timer, u64 deadline);
int rust_raw_hrtimer_expiry(u64 deadline, ktime_t *expiry);
void rust_raw_hrtimer_get_rate(struct raw_hrtimer_rate *rate);
bool rust_raw_hrtimer_node_start(struct tsc_timer *tt, enum hrtimer_mode mode);
bool rust_raw_hrtimer_node_restart(struct tsc_timer *tt);
void rust_raw_hrtimer_node_cancel(struct tsc_timer *tt);
void rust_raw_hrtimer_node_remove(struct tsc_timer *tt);
void rust_raw_hrtimer_show_rate(struct seq_file *seq);
void rust_raw_hrtimer_show_counters(struct seq_file *seq);
void rust_raw_hrtimer_show_attach(struct seq_file *seq);
void rust_raw_hrtimer_pass(int cpu);
void rust_raw_hrtimer_tsc_restarted(void);
void rust_raw_hrtimer_renew(void);
void rust_raw_hrtimer_called(int cpu);
void rust_raw_hrtimer_more(int cpu, int this_cpu);
void rust_raw_hrtimer_kvm_live(void);
void rust_raw_hrtimer_kvm_going(enum rht_kvm_module module);
bool rust_raw_hrtimer_hooked_start(struct hrtimer *timer, ktime_t expiry,
				   enum hrtimer_mode mode);
void rust_raw_hrtimer_hooked_plain(struct hrtimer *timer);
void rust_raw_hrtimer_hooked_cancel(struct hrtimer *timer);
int rust_raw_hrtimer_hooked_try_to_cancel(struct hrtimer *timer);
bool rust_raw_hrtimer_hooked_remaining(struct hrtimer *timer, ktime_t *remaining);
enum rht_verdict rust_raw_hrtimer_hooked_callback(struct hrtimer *timer,
						  enum rht_target_id id);
void rust_raw_hrtimer_hooked_ran(struct hrtimer *timer, bool restarts);
void rust_raw_hrtimer_hooked_vcpu_destroyed(void *vcpu);
void rust_raw_hrtimer_entries_work(void);

#endif /* RAW_HRTIMER_SHIM_H */
