// SPDX-License-Identifier: GPL-2.0

//! The listener.
//!
//! C header: [`include/linux/timekeeper_internal.h`](srctree/include/linux/timekeeper_internal.h)

use super::super::{
    bindings,
    clock::CLOCKSOURCE_ID, //
};

use crate::{
    clock::update::{
        self,
        Timekeeper, //
    },
    timer::{
        event,
        pass, //
    }, //
};

use kernel::ffi::{
    c_int,
    c_ulong,
    c_void, //
};

entries! {
    /// # Safety
    ///
    /// For the shim's call to a CPU alone: hard interrupt.
    fn rust_raw_hrtimer_renew() {
        event::renew_here();
    }

    /// # Safety
    ///
    /// For `pvclock_gtod_register_notifier()` alone: `tk` is the timekeeper, whose lock is held.
    fn rust_raw_hrtimer_update(
        _block: *mut bindings::notifier_block,
        was_set: c_ulong,
        tk: *mut c_void
    ) -> c_int {
        // SAFETY: The chain passes a valid timekeeper (`update_pvclock_gtod()`), and the lock that is
        // held while it calls keeps it from changing.
        let tk = unsafe { &*tk.cast::<bindings::timekeeper>() };

        update::update(was_set != 0, || timekeeper(tk), |published| {
            event::rate_published(published);
            pass::rate_published(published);
        });
        bindings::NOTIFY_DONE as c_int
    }
}

/// Returns as much of `tk` as expiries need.
#[inline(always)]
fn timekeeper(tk: &bindings::timekeeper) -> Timekeeper {
    let (mono, raw) = (&tk.tkr_mono, &tk.tkr_raw);
    // SAFETY: A timekeeper has a clocksource, which has its `id` there.
    let id = unsafe { mono.clock.byte_add(CLOCKSOURCE_ID) }.cast::<u32>();

    Timekeeper {
        cycle_last: mono.cycle_last,
        xtime_nsec: mono.xtime_nsec,
        base: mono.base,
        mono: rate_word(mono),
        raw: rate_word(raw),
        // SAFETY: The clocksource stays while it is the timekeeper's, and its `id` does not change.
        id: unsafe { id.read() },
    }
}

/// Two neighbours, which one instruction loads.
#[inline(always)]
fn rate_word(base: &bindings::tk_read_base) -> u64 {
    u64::from(base.mult) | u64::from(base.shift) << 32
}
