/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints.  Off, each costs a nop where it is: see rust/ffi/trace.rs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM raw_hrtimer

#if !defined(RAW_HRTIMER_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RAW_HRTIMER_TRACE_H

#include <linux/hrtimer.h>
#include <linux/tracepoint.h>
#include <asm/msr.h>

#include "shim.h"

/**
 * start - a timer is armed for a TSC deadline
 * @timer:	the hrtimer; its callback names the kind of timer
 * @deadline:	when it is to expire, in host TSC cycles
 * @expires:	the expiry that it gets, on CLOCK_MONOTONIC, in ns
 *
 * Also for each further period of a periodic timer.  There are as many of these events as the
 * counter "starts" counts, less the starts that could have no deadline.
 */
TRACE_EVENT(start,

	TP_PROTO(const struct hrtimer *timer, u64 deadline, ktime_t expires),

	TP_ARGS(timer, deadline, expires),

	TP_STRUCT__entry(
		__field(const void *,	timer)
		__field(void *,		function)
		__field(u64,		deadline)
		__field(s64,		left)
		__field(s64,		expires)
	),

	TP_fast_assign(
		__entry->timer		= timer;
		__entry->function	= ACCESS_PRIVATE(timer, function);
		__entry->deadline	= deadline;
		__entry->left		= deadline - rdtsc();
		__entry->expires	= expires;
	),

	TP_printk("timer=%p function=%ps deadline=%llu left=%lld expires=%lld",
		  __entry->timer, __entry->function, __entry->deadline, __entry->left,
		  __entry->expires)
);

/**
 * expire - a timer's callback goes to its work
 * @timer:	the hrtimer
 * @deadline:	what it was armed for, in host TSC cycles
 * @tsc:	the TSC of this CPU as the deadline was found to be reached
 *
 * The field "late" is the difference, in cycles.  It is negative only where the TSC of this CPU
 * lags behind the clock, or where the clocksource has left the TSC.
 */
TRACE_EVENT(expire,

	TP_PROTO(const struct hrtimer *timer, u64 deadline, u64 tsc),

	TP_ARGS(timer, deadline, tsc),

	TP_STRUCT__entry(
		__field(const void *,	timer)
		__field(void *,		function)
		__field(u64,		deadline)
		__field(s64,		late)
	),

	TP_fast_assign(
		__entry->timer		= timer;
		__entry->function	= ACCESS_PRIVATE(timer, function);
		__entry->deadline	= deadline;
		__entry->late		= tsc - deadline;
	),

	TP_printk("timer=%p function=%ps deadline=%llu late=%lld",
		  __entry->timer, __entry->function, __entry->deadline, __entry->late)
);

/**
 * rearm - a timer that was started gets another expiry for the same deadline
 * @timer:	the hrtimer, which still has the expiry before
 * @deadline:	what it was armed for, in host TSC cycles
 * @expires:	the expiry that it gets, on CLOCK_MONOTONIC, in ns
 *
 * The field "moved" is by how many ns the expiry has moved: less than 0 by a pass, after the
 * clock has slowed down (the counter "rearms"); more than 0 by the timer's own callback, which
 * ran before the deadline (the counter "restarts").
 */
TRACE_EVENT(rearm,

	TP_PROTO(const struct hrtimer *timer, u64 deadline, ktime_t expires),

	TP_ARGS(timer, deadline, expires),

	TP_STRUCT__entry(
		__field(const void *,	timer)
		__field(void *,		function)
		__field(u64,		deadline)
		__field(s64,		expires)
		__field(s64,		moved)
	),

	TP_fast_assign(
		__entry->timer		= timer;
		__entry->function	= ACCESS_PRIVATE(timer, function);
		__entry->deadline	= deadline;
		__entry->expires	= expires;
		__entry->moved		= expires - hrtimer_get_expires(timer);
	),

	TP_printk("timer=%p function=%ps deadline=%llu expires=%lld moved=%lld",
		  __entry->timer, __entry->function, __entry->deadline, __entry->expires,
		  __entry->moved)
);

/**
 * rate - the clock's rate has changed, or the clock was set, or the clocksource
 * @rate:	the rate now
 *
 * It comes just after the update of the timekeeper, and not inside it: two changes in a row may
 * be one event.
 */
TRACE_EVENT(rate,

	TP_PROTO(const struct raw_hrtimer_rate *rate),

	TP_ARGS(rate),

	TP_STRUCT__entry(
		__field(s64,	skew_ppb)
		__field(u64,	generation)
		__field(u32,	mono_mult)
		__field(u32,	raw_mult)
		__field(u32,	shift)
		__field(bool,	tsc)
	),

	TP_fast_assign(
		__entry->skew_ppb	= rate->skew_ppb;
		__entry->generation	= rate->generation;
		__entry->mono_mult	= rate->mono_mult;
		__entry->raw_mult	= rate->raw_mult;
		__entry->shift		= rate->shift;
		__entry->tsc		= rate->tsc;
	),

	TP_printk("skew_ppb=%lld mono_mult=%u raw_mult=%u shift=%u tsc=%d generation=%llu",
		  __entry->skew_ppb, __entry->mono_mult, __entry->raw_mult, __entry->shift,
		  __entry->tsc, __entry->generation)
);

/* So that the format file has numbers, which tools can read. */
TRACE_DEFINE_ENUM(RHT_ATTACH_REGISTERED);
TRACE_DEFINE_ENUM(RHT_ATTACH_HOOKED);
TRACE_DEFINE_ENUM(RHT_ATTACH_OFF);
TRACE_DEFINE_ENUM(RHT_NESTED);
TRACE_DEFINE_ENUM(RHT_LAPIC);
TRACE_DEFINE_ENUM(RHT_HYPERV);
TRACE_DEFINE_ENUM(RHT_XEN);

/**
 * attach - a module of KVM's has come or gone, or this one goes
 * @way:	in which way it is attached now; RHT_ATTACH_OFF if it is not
 * @hooked:	which timers are hooked, a bit for each enum rht_target_id; 0 for a KVM that
 *		calls the module, because which timers these are is KVM's to know
 */
TRACE_EVENT(attach,

	TP_PROTO(enum rht_attach way, unsigned int hooked),

	TP_ARGS(way, hooked),

	TP_STRUCT__entry(
		__field(unsigned int,	way)
		__field(unsigned int,	hooked)
	),

	TP_fast_assign(
		__entry->way	= way;
		__entry->hooked	= hooked;
	),

	TP_printk("kvm=%s hooked=%s",
		  __print_symbolic(__entry->way,
				   { RHT_ATTACH_REGISTERED,	"registered" },
				   { RHT_ATTACH_HOOKED,		"hooked" },
				   { RHT_ATTACH_OFF,		"none" }),
		  __print_flags(__entry->hooked, ",",
				{ 1 << RHT_NESTED,	"nested" },
				{ 1 << RHT_LAPIC,	"lapic" },
				{ 1 << RHT_HYPERV,	"hyperv" },
				{ 1 << RHT_XEN,		"xen" }))
);

#endif /* RAW_HRTIMER_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

/* This part must be outside protection */
#include <trace/define_trace.h>
