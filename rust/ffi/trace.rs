// SPDX-License-Identifier: GPL-2.0

//! The tracepoints.
//!
//! One that is off costs a nop, which the kernel patches to a jump where it is switched on: the branch is
//! here, and what a tracepoint needs is read behind it. So nothing is handed over that the caller does not
//! have at hand.
//!
//! `kernel::tracepoint::declare_trace!` takes the kernel crate's bindings alone, and its static branch is a
//! file that the headers of some distributions lack (`RHT_STATIC_BRANCH`, see `Kbuild`). Without that file
//! the key is read.
//!
//! C files: [`c/trace.h`](../../c/trace.h), [`c/trace.c`](../../c/trace.c)

use super::{
    bindings,
    node::Node,
    params::Attach,
    timer::{
        Mode,
        Timer, //
    }, //
};
use crate::units::{
    Cycles,
    MonoNs, //
};

/// Whether a tracepoint is on.
macro_rules! is_on {
    ($name:ident) => {{
        #[cfg(all(CONFIG_TRACEPOINTS, RHT_STATIC_BRANCH))]
        // SAFETY: The key is that of a tracepoint, which C has defined.
        let on = unsafe {
            kernel::jump_label::static_branch_unlikely!(bindings::$name, bindings::tracepoint, key)
        };

        #[cfg(all(CONFIG_TRACEPOINTS, not(RHT_STATIC_BRANCH)))]
        // SAFETY: The key is that of a tracepoint, which C has defined; an aligned word is read once.
        let on = unsafe {
            core::ptr::addr_of!(bindings::$name.key.key.enabled.counter).read_volatile() != 0
        };

        #[cfg(not(CONFIG_TRACEPOINTS))]
        let on = false;

        on
    }};
}

/// `timer` is about to be armed for `deadline`.
#[inline(always)]
pub(crate) fn start(timer: Timer<'_>, deadline: Cycles, expiry: MonoNs) {
    if is_on!(__tracepoint_start) {
        call_start(timer, deadline, expiry);
    }
}

/// Arms `timer` for `deadline`, with that event.
#[inline(always)]
pub(crate) fn arm(timer: Timer<'_>, deadline: Cycles, expiry: MonoNs, mode: Mode) {
    if is_on!(__tracepoint_start) {
        call_arm(timer, deadline, expiry, mode);
    } else {
        timer.start(expiry, mode);
    }
}

/// Arms a node's timer for its deadline, with that event.
#[inline(always)]
pub(crate) fn arm_node(node: Node<'_>, expiry: MonoNs, mode: Mode) {
    if is_on!(__tracepoint_start) {
        call_arm(node.timer(), node.deadline(), expiry, mode);
    } else {
        node.timer().start(expiry, mode);
    }
}

/// All of it, so that nothing has to be kept for after the event where that is off.
#[cold]
#[inline(never)]
fn call_arm(timer: Timer<'_>, deadline: Cycles, expiry: MonoNs, mode: Mode) {
    call_start(timer, deadline, expiry);
    timer.start(expiry, mode);
}

#[cold]
#[inline(never)]
fn call_start(timer: Timer<'_>, deadline: Cycles, expiry: MonoNs) {
    // SAFETY: A `Timer` is valid.
    unsafe { bindings::rht_trace_start(timer.as_raw(), deadline.get(), expiry.get()) };
}

/// `timer`'s callback goes to its work, because the TSC, which is `now`, has reached `deadline`.
#[inline(always)]
pub(crate) fn expire(timer: Timer<'_>, deadline: Cycles, now: Cycles) {
    if is_on!(__tracepoint_expire) {
        call_expire(timer, deadline, now);
    }
}

/// The same for a node's timer.
#[inline(always)]
pub(crate) fn expire_node(node: Node<'_>, now: Cycles) {
    if is_on!(__tracepoint_expire) {
        call_expire(node.timer(), node.deadline(), now);
    }
}

#[cold]
#[inline(never)]
fn call_expire(timer: Timer<'_>, deadline: Cycles, now: Cycles) {
    // SAFETY: A `Timer` is valid.
    unsafe { bindings::rht_trace_expire(timer.as_raw(), deadline.get(), now.get()) };
}

/// `timer` is about to get another expiry for `deadline`.
#[inline(always)]
pub(crate) fn rearm(timer: Timer<'_>, deadline: Cycles, expiry: MonoNs) {
    if is_on!(__tracepoint_rearm) {
        // SAFETY: A `Timer` is valid.
        unsafe { bindings::rht_trace_rearm(timer.as_raw(), deadline.get(), expiry.get()) };
    }
}

/// The clock's rate has changed. Any context, the listener's included: the event comes after it.
#[inline(always)]
pub(crate) fn rate() {
    if is_on!(__tracepoint_rate) {
        // SAFETY: `irq_work_queue()` may be called in any context, and the work is a static one that the
        // drop of `GtodListener` waits for.
        unsafe { bindings::rht_trace_rate() };
    }
}

/// The module is attached to KVM in this way now; [`Attach::Off`] if it is not. Process context.
pub(crate) fn attach(way: Attach) {
    if is_on!(__tracepoint_attach) {
        let way = match way {
            Attach::Registered => bindings::rht_attach_RHT_ATTACH_REGISTERED,
            Attach::Hooked => bindings::rht_attach_RHT_ATTACH_HOOKED,
            Attach::Off | Attach::Auto => bindings::rht_attach_RHT_ATTACH_OFF,
        };

        // SAFETY: Process context.
        unsafe { bindings::rht_trace_attach(way) };
    }
}
