// SPDX-License-Identifier: GPL-2.0

//! The listener, which the timekeeper calls on each of its updates.
//!
//! It is called with the timekeeper's lock held, interrupts off, inside the write section that every
//! clock read waits for (`timekeeping_update_from_shadow()` in `kernel/time/timekeeping.c`). So it
//! compares, publishes and leaves; an irq_work re-arms pending timers.
//!
//! # Vocabulary
//!
//! * **update**: a call of the listener, with a [`Timekeeper`].
//! * **repeat**: an update after which all expiries are what they were. Most updates are repeats, and
//!   only the others are published.
//!
//! C header: [`include/linux/pvclock_gtod.h`](srctree/include/linux/pvclock_gtod.h)

use super::{
    deadline::Timeline,
    rate::{
        Change,
        Rate, //
    },
    snapshot::{
        self,
        Snapshot,
        CURRENT, //
    }, //
};

use crate::{
    counters,
    ffi,
    units::{
        Cycles,
        MonoNs, //
    }, //
};

use kernel::prelude::*;

/// The registration of the listener. Dropping it waits for a listener that runs.
#[must_use = "dropping it unregisters the listener"]
pub(crate) struct Listener {
    _registration: ffi::GtodListener,
}

impl Listener {
    /// Registers the listener. The current state is published before this returns.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _registration: ffi::GtodListener::new()?,
        })
    }
}

/// A timekeeper at an update, in its own terms.
pub(crate) struct Timekeeper {
    /// `tkr_mono`: where the clock stands at the update.
    pub(crate) cycle_last: u64,
    pub(crate) xtime_nsec: u64,
    pub(crate) base: i64,
    /// `mult`, and above it `shift`, of `tkr_mono` and of `tkr_raw`: as [`Rate::pack()`], but for any
    /// value.
    pub(crate) mono: u64,
    pub(crate) raw: u64,
    /// The clocksource's `id`.
    pub(crate) id: u32,
}

impl Timekeeper {
    /// Returns what is published of it; `None` if no clocksource can have such a rate.
    #[inline]
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot {
            timeline: Timeline {
                cycle_last: Cycles::new(self.cycle_last),
                rate: Rate::from_word(self.mono)?,
                xtime_nsec: self.xtime_nsec,
                base: MonoNs::new(self.base),
            },
            raw: Rate::from_word(self.raw)?,
            id: self.id,
        })
    }

    /// Whether all expiries stay what they are by what was published last: the rates are the same, and so
    /// is the monotonic time at `cycle_last`, to the last fraction of a nanosecond.
    ///
    /// Modulo 2^64 of those fractions, that is minutes: only a step of exactly that would be missed, and
    /// the timekeeper reports where the clock was set.
    #[inline(always)]
    fn is_repeat(&self) -> bool {
        let [cycle_last, xtime_nsec, base, mono, _, raw, id] = CURRENT.own();

        if self.mono != mono.load() || self.raw != raw.load() || u64::from(self.id) != id.load() {
            return false;
        }
        let cycles = self.cycle_last.wrapping_sub(cycle_last.load());
        // CAST: Two's complement; the difference is made of it.
        let ns = (self.base as u64).wrapping_sub(base.load());
        // CAST: The lower half, and the upper one.
        let (mult, shift) = (self.mono as u32, (self.mono >> 32) as u32);

        cycles
            .wrapping_mul(u64::from(mult))
            .wrapping_add(xtime_nsec.load())
            == self.xtime_nsec.wrapping_add(ns.wrapping_shl(shift))
    }
}

/// A snapshot that was published, for those who keep timers.
pub(crate) struct Published {
    /// The snapshot.
    pub(crate) new: Snapshot,
    /// Whether the clock was set, or follows another clocksource.
    pub(crate) is_another_line: bool,
    /// Whether a clockevent that was programmed before may come too late now.
    pub(crate) is_speed_up: bool,
}

/// Publishes an update that is no repeat; `stepped` if the timekeeper reports that the clock was set.
/// `then` is called with what was published, unless that is the first.
///
/// `read` returns the same each time. It is called anew where an update is no repeat, so that one that
/// is, as most are, up to HZ times a second, is compared where it stands and needs no stack.
///
/// Context: the timekeeper's lock held, interrupts off, no clock can be read.
#[inline(always)]
pub(crate) fn update(stepped: bool, read: impl Fn() -> Timekeeper, then: impl Fn(&Published)) {
    if stepped || !read().is_repeat() {
        publish(stepped, read, then);
        return;
    }
    counters::UPDATES.count();
}

/// Apart from [`update()`], whose path is then without its stack.
#[cold]
#[inline(never)]
fn publish(stepped: bool, read: impl Fn() -> Timekeeper, then: impl Fn(&Published)) {
    // What was published stands.
    let Some(new) = read().snapshot() else {
        return;
    };
    let old = snapshot::current();

    counters::UPDATES.count();
    let is_speed_up = old.is_some_and(|(old, _)| is_speed_up(&old, &new));

    if is_speed_up {
        snapshot::count_speed_up();
    }
    CURRENT.publish(&new.words());
    let Some((old, _)) = old else {
        return;
    };
    let other_clocksource = old.is_tsc() != new.is_tsc();

    if other_clocksource {
        counters::CLOCKSOURCE_CHANGES.count();
    }
    // While another clocksource is current, no update shows whether the TSC has restarted.
    if other_clocksource || stepped && new.is_tsc() && has_restarted(&old.timeline, &new.timeline) {
        ffi::tsc_restarted();
    }
    let other_rate = stepped || new.timeline.rate.change_from(old.timeline.rate) != Change::Steady;

    if other_rate {
        counters::RATE_CHANGES.count();
    }
    if other_rate || other_clocksource {
        ffi::trace::rate();
    }
    then(&Published {
        new,
        is_another_line: stepped || other_clocksource,
        is_speed_up,
    });
}

/// Whether an event that was programmed by `old` may come too late by `new`.
fn is_speed_up(old: &Snapshot, new: &Snapshot) -> bool {
    matches!(
        new.timeline.rate.change_from(old.timeline.rate),
        Change::Faster | Change::Other
    )
}

/// By how many cycles the TSC may seem to have gone back, from one CPU to another.
const BACK: u64 = 1 << 32;

/// By how many nanoseconds a clock that the TSC has not left may be ahead of the line it was on.
const AHEAD: i64 = 1_000_000_000;

/// Whether the TSC has restarted, as some do when the machine was suspended to RAM or hibernated
/// (`timekeeping_resume()`).
///
/// What was published may be as old as the last suspend, and the TSC may have come as far again as it was
/// then. But the clock has gone on along that line meanwhile, and by the line was not there yet.
#[inline]
fn has_restarted(old: &Timeline, new: &Timeline) -> bool {
    let (was, is) = (old.cycle_last, new.cycle_last);

    is < was && was.get().wrapping_sub(is.get()) > BACK
        || old.mono(is).get().saturating_add(AHEAD) < new.mono(is).get()
}
