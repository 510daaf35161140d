// SPDX-License-Identifier: GPL-2.0

//! Somebody else's hrtimer, for as long as it is lent.
//!
//! C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)

use super::{
    bindings,
    cpu::Cpu,
    may_run_from,
    SLACK, //
};
use crate::units::MonoNs;

use core::{
    ffi::c_int,
    marker::PhantomData,
    ptr::{
        addr_of,
        addr_of_mut,
        null,
        NonNull, //
    }, //
};

/// How a timer is armed: `enum hrtimer_mode`.
#[derive(Clone, Copy)]
pub(crate) struct Mode(bindings::hrtimer_mode);

impl Mode {
    pub(super) fn from_c(mode: bindings::hrtimer_mode) -> Self {
        Self(mode)
    }

    pub(super) fn into_c(self) -> bindings::hrtimer_mode {
        self.0
    }

    /// Whether it is relative to now.
    #[inline]
    pub(crate) fn is_relative(self) -> bool {
        self.0 & bindings::hrtimer_mode_HRTIMER_MODE_REL != 0
    }

    /// Returns the mode without `HRTIMER_MODE_REL`.
    pub(crate) fn absolute(self) -> Self {
        Self(self.0 & !bindings::hrtimer_mode_HRTIMER_MODE_REL)
    }

    /// Returns the mode in which a timer stays on the CPU that starts it.
    pub(crate) fn pinned(self) -> Self {
        Self(self.0 | bindings::hrtimer_mode_HRTIMER_MODE_PINNED)
    }
}

/// What [`Timer::try_to_cancel()`] has found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// It was queued, and is not any more.
    Dequeued,
    /// It was not queued.
    NotQueued,
    /// Its callback runs: nothing was done.
    Running,
}

impl Cancel {
    /// Returns what `hrtimer_try_to_cancel()` does.
    pub(super) fn into_c(self) -> c_int {
        match self {
            Self::NotQueued => 0,
            Self::Dequeued => 1,
            Self::Running => -1,
        }
    }
}

/// A clock base, told from others by its address, which is never followed: a CPU's, of one clock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base(*const bindings::hrtimer_clock_base);

impl Base {
    /// No timer's.
    pub(super) const NONE: Self = Self(null());

    pub(super) fn from_c(base: *const bindings::hrtimer_clock_base) -> Self {
        Self(base)
    }

    pub(super) fn into_c(self) -> *const bindings::hrtimer_clock_base {
        self.0
    }
}

/// An hrtimer.
///
/// # Invariants
///
/// The pointer is to a `struct hrtimer` that `hrtimer_setup()` has set up and that stays so for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Timer<'a>(
    NonNull<bindings::hrtimer>,
    PhantomData<&'a bindings::hrtimer>,
);

impl<'a> Timer<'a> {
    /// # Safety
    ///
    /// `timer` is an hrtimer that was set up, and stays so for `'a`.
    #[inline]
    pub(super) unsafe fn from_raw(timer: NonNull<bindings::hrtimer>) -> Self {
        // INVARIANT: The caller promises it.
        Self(timer, PhantomData)
    }

    /// Returns the address that tells it from other timers.
    #[inline]
    pub(crate) fn address(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Returns its clock base. Any context. It stays, unless the timer is started; then the CPU that is
    /// read before may be the one of before, and the one of a CPU that goes offline.
    #[inline]
    pub(crate) fn base(self) -> Base {
        // SAFETY: By the type's invariant this is inside a valid `struct hrtimer`; an aligned word that
        // somebody else may write is read once, as `READ_ONCE()` does.
        Base(unsafe { addr_of!((*self.0.as_ptr()).base).read_volatile() })
    }

    /// Returns the CPU of its clock base. Any context.
    pub(crate) fn cpu(self) -> Cpu {
        // SAFETY: By the type's invariant the timer was set up, so it has a base.
        let cpu = unsafe { bindings::rht_timer_cpu(self.0.as_ptr()) };

        // SAFETY: A timer's base is a possible CPU's.
        unsafe { Cpu::from_raw(cpu) }
    }

    /// Whether it runs on `CLOCK_MONOTONIC`. Any context, while nobody starts it: a timer that moves to
    /// another CPU has no clock for a moment.
    pub(crate) fn is_monotonic(self) -> bool {
        // SAFETY: By the type's invariant the timer was set up, so it has a clock base.
        unsafe { bindings::rht_is_monotonic(self.0.as_ptr()) }
    }

    /// Returns the C timer, which is valid for `'a`.
    #[inline]
    pub(super) fn as_raw(self) -> *mut bindings::hrtimer {
        self.0.as_ptr()
    }

    /// Arms it for `expiry`, or [`SLACK`] before. Any context but NMI.
    #[inline]
    pub(crate) fn start(self, expiry: MonoNs, mode: Mode) {
        self.start_range(may_run_from(expiry), SLACK, mode);
    }

    /// Arms it again for the expiry that it has. Any context but NMI.
    #[inline]
    pub(crate) fn start_plain(self, mode: Mode) {
        self.start_range(self.expires(), MonoNs::new(0), mode);
    }

    #[inline]
    fn start_range(self, from: MonoNs, range: MonoNs, mode: Mode) {
        let range = range.get().unsigned_abs();

        // SAFETY: By the type's invariant the timer was set up; the hrtimer core's own lock makes
        // this safe against any other start, cancel and expiry, in any context but NMI.
        unsafe { bindings::hrtimer_start_range_ns(self.0.as_ptr(), from.get(), range, mode.0) };
    }

    /// Dequeues it, if its callback does not run. Any context but NMI.
    #[inline]
    pub(crate) fn try_to_cancel(self) -> Cancel {
        // SAFETY: As in `start()`.
        match unsafe { bindings::hrtimer_try_to_cancel(self.0.as_ptr()) } {
            0 => Cancel::NotQueued,
            1 => Cancel::Dequeued,
            _ => Cancel::Running,
        }
    }

    /// Whether it is queued or its callback runs. Any context.
    pub(crate) fn is_active(self) -> bool {
        // SAFETY: By the type's invariant the timer was set up; nothing is written.
        unsafe { bindings::hrtimer_active(self.0.as_ptr()) }
    }

    /// Whether it is queued. Any context.
    pub(crate) fn is_queued(self) -> bool {
        // SAFETY: By the type's invariant the timer was set up; nothing is written.
        unsafe { bindings::rht_is_queued(self.0.as_ptr()) }
    }

    /// Returns the expiry that it has. Any context.
    #[inline]
    pub(crate) fn expires(self) -> MonoNs {
        // SAFETY: By the type's invariant this is inside a valid `struct hrtimer`; an aligned word
        // that somebody else may write is read once, as `READ_ONCE()` does.
        MonoNs::new(unsafe { addr_of!((*self.0.as_ptr()).node.expires).read_volatile() })
    }

    /// Returns what `hrtimer_start_expires()` starts it for, if [`start()`](Self::start) has armed it. Any
    /// context.
    #[inline]
    pub(crate) fn starts_for(self) -> MonoNs {
        may_run_from(self.expires())
    }

    /// Sets its expiry, as [`start()`](Self::start) does. Context: its callback.
    #[inline]
    pub(crate) fn set_expires(self, expiry: MonoNs) {
        let timer = self.0.as_ptr();
        let from = may_run_from(expiry);

        // SAFETY: By the type's invariant this is inside a valid `struct hrtimer`; in its callback
        // the timer is not queued, so nobody sorts by it.
        unsafe { addr_of_mut!((*timer).node.expires).write_volatile(expiry.get()) };
        // SAFETY: As above.
        unsafe { addr_of_mut!((*timer)._softexpires).write_volatile(from.get()) };
    }
}

/// Warns, once, of a timer on another clock. Any context.
#[cold]
pub(crate) fn warn_clock() {
    // SAFETY: `WARN_ONCE()` may be used in any context.
    unsafe { bindings::rht_warn_clock() };
}

/// Warns, once, of a relative mode. Any context.
#[cold]
pub(crate) fn warn_mode() {
    // SAFETY: `WARN_ONCE()` may be used in any context.
    unsafe { bindings::rht_warn_mode() };
}
