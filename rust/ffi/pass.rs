// SPDX-License-Identifier: GPL-2.0

//! The interrupts in which pending timers are re-armed, and the queues that they serve.
//!
//! C file: [`c/timer/pass.c`](../../c/timer/pass.c)

use super::{
    bindings,
    cpu::{
        Call,
        Cpu, //
    }, //
};

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Whether the queues were made, which is done once.
static MADE: Atomic<i32> = Atomic::new(0);

/// The queues, empty at first, and what is known of the clockevents. Dropping it waits for the passes that
/// were asked for.
#[must_use = "dropping it waits for passes, once nobody asks for one any more"]
pub(crate) struct Queues(());

impl Queues {
    /// Makes the queues, and probes each CPU's clockevent, now or when it comes online. Comes before
    /// all that starts timers. Process context, may sleep.
    pub(crate) fn new() -> Result<Self> {
        if MADE.cmpxchg(0, 1, Relaxed).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: The first time, so nobody else knows of what is written yet.
        unsafe { bindings::rht_queues_init() };
        // SAFETY: As above.
        unsafe { bindings::rht_pass_init() };
        // SAFETY: Process context, the first time.
        unsafe { bindings::rht_clockevent_watch() };
        Ok(Self(()))
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        // SAFETY: Process context; the listener, which alone asks for calls that renew an event, is
        // unregistered.
        unsafe { bindings::rht_renew_flush() };
        // SAFETY: As above, of passes. Its grace period is that of the calls, too.
        unsafe { bindings::rht_pass_flush() };
        // SAFETY: Process context, after `rht_clockevent_watch()`.
        unsafe { bindings::rht_clockevent_unwatch() };
    }
}

/// Asks for a pass over the pending timers. Any context, the listener's included.
#[inline]
pub(crate) fn pass_queue() {
    // SAFETY: `irq_work_queue()` may be called in any context, and the work is a static one that the
    // drop of `Queues` waits for before the module goes.
    unsafe { bindings::rht_pass_queue() };
}

/// Calls the CPU of `call` to serve its queue; `false` if it is offline. Context: hard interrupt.
pub(crate) fn rearm_on(call: &Call) -> bool {
    // SAFETY: By its invariant `call` is to a possible CPU, which has a static `call_single_data_t` of
    // its own, and that is not in use.
    unsafe { bindings::rht_rearm_on(call.cpu().number()) }
}

/// Has the queue of `cpu` served again after a pause, in nanoseconds, on this CPU. Context: hard interrupt.
pub(crate) fn rearm_more(cpu: Cpu, pause: u32) {
    // SAFETY: Each possible CPU has its own static
    // hrtimer, set up before any pass is asked for, that the drop of `Queues` waits for.
    unsafe { bindings::rht_rearm_more(cpu.number(), pause) };
}
