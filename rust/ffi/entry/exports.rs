// SPDX-License-Identifier: GPL-2.0

//! The bodies of the exported functions.
//!
//! C header: [`include/linux/raw_hrtimer.h`](../../../include/linux/raw_hrtimer.h)

use super::super::{
    bindings,
    node::Node,
    timer::{
        Mode,
        Timer, //
    },
    EOPNOTSUPP, //
};

use crate::{
    clock::{
        ratio::Skew,
        snapshot, //
    },
    timer::{
        arm,
        pending, //
    },
    units::Cycles, //
};

use core::ptr::NonNull;

use kernel::{
    error::code::EINVAL,
    ffi::c_int, //
};

entries! {
    /// # Safety
    ///
    /// `timer` was set up by `hrtimer_setup()`. Any context but NMI.
    fn rust_raw_hrtimer_start(
        timer: *mut bindings::hrtimer,
        deadline: u64,
        mode: bindings::hrtimer_mode
    ) {
        let Some(timer) = NonNull::new(timer) else { return };
        // SAFETY: The caller promises it, for the length of this call.
        let timer = unsafe { Timer::from_raw(timer) };
        arm::start(timer, Cycles::new(deadline), Mode::from_c(mode));
    }

    /// # Safety
    ///
    /// `timer` is the one whose callback calls this.
    fn rust_raw_hrtimer_restart(timer: *mut bindings::hrtimer, deadline: u64) -> bool {
        let Some(timer) = NonNull::new(timer) else { return false };
        // SAFETY: The caller promises it, for the length of this call.
        let timer = unsafe { Timer::from_raw(timer) };
        arm::restart(timer, Cycles::new(deadline))
    }

    /// # Safety
    ///
    /// `expiry` can be written to. Any context.
    fn rust_raw_hrtimer_expiry(deadline: u64, expiry: *mut bindings::ktime_t) -> c_int {
        let Some(expiry) = NonNull::new(expiry) else { return EINVAL.to_errno() };
        let Some(ns) = arm::expiry(Cycles::new(deadline)) else {
            return EOPNOTSUPP;
        };
        // SAFETY: The caller promises it.
        unsafe { expiry.write(ns.get()) };
        0
    }

    /// # Safety
    ///
    /// `rate` can be written to. Any context.
    fn rust_raw_hrtimer_get_rate(rate: *mut bindings::raw_hrtimer_rate) {
        let Some(rate) = NonNull::new(rate) else { return };
        let mut out = bindings::raw_hrtimer_rate::default();

        if let Some((snapshot, generation)) = snapshot::current() {
            let mono = snapshot.timeline.rate;

            out.mono_mult = mono.mult();
            out.raw_mult = snapshot.raw.mult();
            out.shift = mono.shift();
            out.tsc = snapshot.is_tsc();
            out.generation = generation;
            out.skew_ppb = Skew::between(mono, snapshot.raw).ppb();
        }
        // SAFETY: The caller promises it.
        unsafe { rate.write(out) };
    }

    /// # Safety
    ///
    /// `tt` was set up by `tsc_timer_setup()`, its timer by `hrtimer_setup()`, both are valid until
    /// a remove has returned, and no other operation on `tt` runs. Any context but NMI, with preemption
    /// disabled.
    fn rust_raw_hrtimer_node_start(
        tt: *mut bindings::tsc_timer,
        mode: bindings::hrtimer_mode
    ) -> bool {
        // SAFETY: The caller promises it.
        pending::start(unsafe { node(tt) }, Mode::from_c(mode))
    }

    /// # Safety
    ///
    /// `tt` and its timer are as for `rust_raw_hrtimer_node_start()`. In that timer's callback, while
    /// no other operation on `tt` runs but a cancel or a remove.
    fn rust_raw_hrtimer_node_restart(tt: *mut bindings::tsc_timer) -> bool {
        // SAFETY: The caller promises it.
        pending::restart(unsafe { node(tt) })
    }

    /// # Safety
    ///
    /// `tt` and its timer are as for `rust_raw_hrtimer_node_start()`. Any context but NMI, while no
    /// other operation on `tt` runs but a restart.
    fn rust_raw_hrtimer_node_cancel(tt: *mut bindings::tsc_timer) {
        // SAFETY: The caller promises it.
        pending::cancel(unsafe { node(tt) });
    }

    /// # Safety
    ///
    /// As for `rust_raw_hrtimer_node_cancel()`.
    fn rust_raw_hrtimer_node_remove(tt: *mut bindings::tsc_timer) {
        // SAFETY: The caller promises it.
        pending::remove(unsafe { node(tt) });
    }
}

/// # Safety
///
/// `tt` was set up by `tsc_timer_setup()`, and, with its hrtimer, is valid for `'a`.
#[inline(always)]
unsafe fn node<'a>(tt: *mut bindings::tsc_timer) -> Node<'a> {
    // SAFETY: What was set up is not null.
    let tt = unsafe { NonNull::new_unchecked(tt) };

    // SAFETY: The caller promises it.
    unsafe { Node::from_raw(tt) }
}
