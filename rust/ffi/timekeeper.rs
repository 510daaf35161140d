// SPDX-License-Identifier: GPL-2.0

//! The notifier, and the timekeeper that it is given.
//!
//! C header: [`include/linux/timekeeper_internal.h`](srctree/include/linux/timekeeper_internal.h)

use super::bindings;
use crate::clock::{
    pair::pair,
    update::{
        self,
        Said, //
    }, //
};

use core::{
    mem::{
        offset_of,
        size_of, //
    },
    ptr::addr_of, //
};

use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*,
    types::Opaque, //
};

/// `cs_id` of a timekeeper whose cycles are the TSC's.
pub(crate) const CSID_X86_TSC: u32 = bindings::clocksource_ids_CSID_X86_TSC;

/// The notifier block, which the kernel links into its chain.
struct Block(Opaque<bindings::notifier_block>);

// SAFETY: The kernel alone writes to it, with the timekeeper's lock held.
unsafe impl Sync for Block {}

static BLOCK: Block = Block(Opaque::new(bindings::notifier_block {
    notifier_call: Some(notify),
    next: core::ptr::null_mut(),
    priority: 0,
}));

/// Whether bindgen and the C compiler agree on where the listener's fields are.
pub(crate) fn timekeeper_layout_matches() -> bool {
    use bindings::{
        rht_layout,
        timekeeper,
        tk_read_base, //
    };

    // SAFETY: A constant of the shim.
    let c = unsafe { &*addr_of!(bindings::rht_layout) };
    let rust = rht_layout {
        tkr_mono: offset_of!(timekeeper, tkr_mono),
        tkr_raw: offset_of!(timekeeper, tkr_raw),
        cs_id: offset_of!(timekeeper, cs_id),
        ntp_err_mult: offset_of!(timekeeper, ntp_err_mult),
        timekeeper: size_of::<timekeeper>(),
        cycle_last: offset_of!(tk_read_base, cycle_last),
        mult: offset_of!(tk_read_base, mult),
        shift: offset_of!(tk_read_base, shift),
        xtime_nsec: offset_of!(tk_read_base, xtime_nsec),
        base: offset_of!(tk_read_base, base),
        tk_read_base: size_of::<tk_read_base>(),
    };
    *c == rust
}

/// Registers the listener. It is called once before this returns.
pub(crate) fn register_gtod_listener() -> Result {
    // SAFETY: A static block, registered once while the module is loaded; process context.
    to_result(unsafe { bindings::pvclock_gtod_register_notifier(BLOCK.0.get()) })
}

/// Unregisters it: the listener does not run when this returns.
pub(crate) fn unregister_gtod_listener() {
    // SAFETY: The block was registered; process context. The chain's lock is the one that the
    // listener is called under, so no call is left.
    unsafe { bindings::pvclock_gtod_unregister_notifier(BLOCK.0.get()) };
}

/// # Safety
///
/// For `pvclock_gtod_register_notifier()` alone: `tk` is the timekeeper, whose lock is held.
unsafe extern "C" fn notify(
    _block: *mut bindings::notifier_block,
    was_set: c_ulong,
    tk: *mut c_void,
) -> c_int {
    // SAFETY: The chain passes a valid timekeeper (`update_pvclock_gtod()`), and the lock that is
    // held while it calls keeps it from changing.
    let tk = unsafe { &*tk.cast::<bindings::timekeeper>() };

    update::hear(was_set != 0, || said(tk));
    bindings::NOTIFY_DONE as c_int
}

/// Returns what `tk` says.
#[inline(always)]
fn said(tk: &bindings::timekeeper) -> Said {
    let (mono, raw) = (&tk.tkr_mono, &tk.tkr_raw);

    Said {
        cycle_last: mono.cycle_last,
        xtime_nsec: mono.xtime_nsec,
        // CAST: Two's complement; differences are made of it.
        base: mono.base as u64,
        mono: pair(mono.mult, mono.shift),
        raw: pair(raw.mult, raw.shift),
        rest: pair(tk.ntp_err_mult, tk.cs_id),
    }
}
