// SPDX-License-Identifier: GPL-2.0

//! The clocks, the clockevent, and the registration of the listener.
//!
//! C headers: [`include/linux/timekeeper_internal.h`](srctree/include/linux/timekeeper_internal.h),
//! [`include/linux/pvclock_gtod.h`](srctree/include/linux/pvclock_gtod.h)

use super::bindings;
use crate::units::{
    Cycles,
    MonoNs, //
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
    prelude::*, //
};

/// The `id` of the clocksource whose cycles are the TSC's.
pub(crate) const CSID_X86_TSC: u32 = bindings::clocksource_ids_CSID_X86_TSC;

/// The offset of `id` in a `struct clocksource`, of which the module needs nothing else. CAST: An offset.
pub(super) const CLOCKSOURCE_ID: usize = bindings::rht_offset_RHT_CLOCKSOURCE_ID as usize;

/// Reads the TSC, not before the instructions that came earlier: `rdtsc_ordered()`. Any context.
#[inline]
pub(crate) fn rdtsc() -> Cycles {
    let (low, high): (u64, u64);

    // SAFETY: Every processor that the kernel for x86-64 runs on has a TSC and `LFENCE`, behind which
    // no later instruction starts before the earlier ones are done; nothing else is touched.
    unsafe {
        core::arch::asm!("lfence", "rdtsc", out("rax") low, out("rdx") high, options(nostack))
    };
    Cycles::new(low | high << 32)
}

/// Reads `CLOCK_MONOTONIC`. Any context but NMI and the listener.
#[inline]
pub(crate) fn ktime_get() -> MonoNs {
    // SAFETY: The timekeeper runs before any module is loaded, and the caller does not interrupt its
    // update, nor is part of it.
    MonoNs::new(unsafe { bindings::ktime_get() })
}

/// Returns the TSC's frequency in kHz, as KVM takes it for the guests that are created from now on.
pub(crate) fn tsc_khz() -> u32 {
    // SAFETY: Reads an aligned word, which the kernel writes at boot, and once more some seconds later
    // where it refines the frequency.
    unsafe { bindings::rht_tsc_khz() }
}

/// Whether the hrtimers' clockevent is programmed with the TSC value at which the monotonic clock
/// reaches an expiry, and so goes with its rate. Any context.
#[inline]
pub(crate) fn clockevent_counts_tsc() -> bool {
    uncoupled() == 0
}

/// The mark of each CPU where the clockevent does not count the TSC.
// CAST: bindgen takes it for a negative number.
pub(crate) const UNCOUPLED: u64 = bindings::RHT_UNCOUPLED as u64;

/// The same as a mark: [`UNCOUPLED`] if it is not programmed so, else 0. Any context.
#[inline(always)]
pub(crate) fn uncoupled() -> u64 {
    // SAFETY: Reads an aligned word once that is written where a CPU comes online.
    unsafe { addr_of!(bindings::rht_uncoupled).read_volatile() }
}

/// Returns this CPU's mark. Any context.
#[inline(always)]
pub(crate) fn mark() -> u64 {
    let mark;

    // SAFETY: Reads this CPU's word, which `%gs` selects; one instruction is done with in any
    // context.
    unsafe {
        core::arch::asm!(
            "movq %gs:{marks}, {mark}",
            marks = sym bindings::rht_mark,
            mark = lateout(reg) mark,
            options(att_syntax, nostack, preserves_flags, readonly),
        );
    }
    mark
}

/// Sets this CPU's mark, or [`UNCOUPLED`] where the clockevent does not count the TSC. Any
/// context.
pub(crate) fn set_mark(mark: u64) {
    // SAFETY: Writes words of this CPU.
    unsafe { bindings::rht_set_mark(mark) };
}

/// Has the hrtimer core program this CPU's clockevent anew, and sets this CPU's mark. Any context
/// in which `hrtimer_start()` can be called, but NMI.
pub(crate) fn renew_event(mark: u64) {
    // SAFETY: Starts and cancels a timer of its own, which takes the hrtimer core's lock alone.
    unsafe { bindings::rht_renew_event(mark) };
}

/// Has [`renew_event()`] called on the CPUs that unpinned timers of `nohz_full`'s CPUs go to, by
/// `rust_raw_hrtimer_renew()`. Any context, the listener's included.
#[inline]
pub(crate) fn renew_elsewhere() {
    // SAFETY: `irq_work_queue()` may be called in any context; the work and what it calls are static
    // ones that the drop of `Queues` waits for before the module goes.
    unsafe { bindings::rht_renew_elsewhere() };
}

/// Returns the expiry that this CPU's clockevent is programmed for: never, in the hrtimers' interrupt,
/// which programs it when it ends. Any context but NMI.
pub(crate) fn event_expiry() -> MonoNs {
    // SAFETY: Sets up a timer on the stack and reads a word of the hrtimer core's, which live for ever.
    MonoNs::new(unsafe { bindings::rht_event_expiry() })
}

/// Asks for the deadlines of all hooked timers to be dropped, because the TSC has restarted, or the
/// clocksource has left it or come back to it. Any context, the listener's included.
pub(crate) fn tsc_restarted() {
    // SAFETY: `irq_work_queue()` may be called in any context, and the work is a static one that the
    // drop of `GtodListener` waits for.
    unsafe { bindings::rht_tsc_restarted() };
}

/// The registration of the listener. Dropping it waits for a listener that runs, and for the work that it
/// has asked for with [`tsc_restarted()`]. Process context, may sleep.
#[must_use = "dropping it unregisters the listener"]
pub(crate) struct GtodListener(());

impl GtodListener {
    /// Registers the listener, which is called once before this returns. `EINVAL` if bindgen and the C
    /// compiler disagree on where it finds its fields. Process context.
    pub(crate) fn new() -> Result<Self> {
        if !timekeeper_layout_matches() {
            pr_err!("struct timekeeper differs between bindgen and the C compiler: not loaded\n");
            return Err(EINVAL);
        }
        // SAFETY: The block is static; it cannot be registered twice.
        to_result(unsafe { bindings::rht_gtod_register() })?;
        Ok(Self(()))
    }
}

impl Drop for GtodListener {
    fn drop(&mut self) {
        // SAFETY: The block was registered. The chain's lock is the one that the listener is called
        // under, so no call is left.
        unsafe { bindings::rht_gtod_unregister() };
    }
}

/// Whether bindgen and the C compiler agree on where the listener's fields are.
fn timekeeper_layout_matches() -> bool {
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
        timekeeper: size_of::<timekeeper>(),
        clock: offset_of!(tk_read_base, clock),
        cycle_last: offset_of!(tk_read_base, cycle_last),
        mult: offset_of!(tk_read_base, mult),
        shift: offset_of!(tk_read_base, shift),
        xtime_nsec: offset_of!(tk_read_base, xtime_nsec),
        base: offset_of!(tk_read_base, base),
        tk_read_base: size_of::<tk_read_base>(),
        clocksource_id: CLOCKSOURCE_ID,
    };
    *c == rust
}
