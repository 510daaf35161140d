// SPDX-License-Identifier: GPL-2.0

//! Arming an hrtimer for a TSC deadline, and what its callback does when it runs early.
//!
//! # Vocabulary
//!
//! * **deadline**: the TSC value before which the callback's work must not be done.
//! * **plain expiry**: the expiry that the caller has set, used where a deadline has none.
//! * **finish**: the callback's check, which moves a timer that runs early to its exact expiry.
//!
//! C header: [`include/linux/raw_hrtimer.h`](../../include/linux/raw_hrtimer.h)

use crate::{
    clock::{
        deadline::{
            Expiry,
            Timeline, //
        },
        margin,
        rate::{
            scale as scale_ns,
            Cycles,
            MonoNs,
            RawNs, //
        },
        snapshot::{
            Line,
            CURRENT, //
        }, //
    },
    counters,
    ffi::{
        self,
        Mode,
        Timer, //
    }, //
};

/// Returns the line, or `None`, counted, if the clocksource is not the TSC.
#[inline(always)]
fn line() -> Option<Line> {
    let line = CURRENT.line();

    if line.is_none() {
        counters::PLAIN.count();
    }
    line
}

/// Returns the expiry of `deadline`, or `None` if the clocksource is not the TSC.
///
/// Any context. No clock read, no division: one multiplication and a shift.
#[inline]
pub(crate) fn expiry(deadline: Cycles) -> Option<MonoNs> {
    Some(exact(&line()?.timeline, deadline))
}

#[inline]
fn exact(line: &Timeline, deadline: Cycles) -> MonoNs {
    let expiry = line.expiry(deadline);

    match expiry {
        Expiry::At(_) => (),
        Expiry::Past(_) => counters::PAST.count(),
        Expiry::Beyond => counters::SATURATED.count(),
    }
    expiry.ns()
}

/// Returns the expiry to arm a timer for `deadline` with, or `None` as [`expiry()`] does.
///
/// That is its expiry, except where the clock runs fast and the clockevent counts nanoseconds of its
/// own: given monotonic ones, it would fire late by the skew. There it is the nominal distance from
/// now, and the callback finishes if something else makes it run before the deadline.
#[inline(always)]
pub(crate) fn armed_expiry(deadline: Cycles) -> Option<MonoNs> {
    let line = line()?;

    if line.fast && !ffi::clockevent_counts_tsc() {
        return nominal(deadline);
    }
    Some(exact(&line.timeline, deadline))
}

/// Reads the line again, so that [`armed_expiry()`] need not put its own where this finds it.
#[cold]
#[inline(never)]
fn nominal(deadline: Cycles) -> Option<MonoNs> {
    let (snapshot, _) = CURRENT.read()?;

    // Another clocksource, by now.
    if !snapshot.tsc {
        return None;
    }
    Some(margin::expiry(
        &snapshot.expiry_line(),
        snapshot.raw,
        deadline,
        ffi::rdtsc(),
    ))
}

/// Arms `timer` for `deadline`, or for its plain expiry where that is not possible.
///
/// Any context but NMI, in which `hrtimer_start()` can be called on `timer`.
pub(crate) fn start(timer: Timer<'_>, deadline: Cycles, mode: Mode) {
    counters::STARTS.count();

    let mode = mode.absolute();
    let expiry = if timer.is_monotonic() {
        armed_expiry(deadline)
    } else {
        counters::WRONG_CLOCK.count();
        ffi::warn_clock();
        None
    };
    timer.start(expiry.unwrap_or_else(|| timer.expires()), mode);
}

/// Whether this CPU's TSC has reached `deadline`.
#[inline]
pub(crate) fn is_reached(deadline: Cycles) -> bool {
    ffi::rdtsc() >= deadline
}

/// In the callback: whether `deadline` is reached. If not, `timer` has its exact expiry and the
/// callback has to return `HRTIMER_RESTART`.
#[inline]
pub(crate) fn finish(timer: Timer<'_>, deadline: Cycles) -> bool {
    is_reached(deadline) || !move_on(timer, deadline, counters::RESTARTS)
}

/// Gives a `timer` whose deadline is still to come by this CPU's TSC its exact expiry, and counts that;
/// `false` where it has none, or the clock has reached it. Apart from [`finish()`], which most callbacks
/// are through with before anything of this is set up. Context: the callback.
#[cold]
#[inline(never)]
pub(crate) fn move_on(timer: Timer<'_>, deadline: Cycles, what: counters::Counter) -> bool {
    let Some(expiry) = later_expiry(deadline) else {
        return false;
    };
    what.count();
    timer.set_expires(expiry);
    true
}

/// Returns an expiry for `deadline` that the clock has yet to reach. `None` if there is no such expiry, or
/// no way to tell, because the clocksource is not the TSC: as without this module.
///
/// The TSC of a CPU may lag behind the one that the timekeeper has read, and the deadline lie between the
/// two. Then the timekeeper is right: with an expiry that has passed, the hrtimer core would call the
/// callback again and again, with interrupts off, until this CPU's TSC has caught up.
fn later_expiry(deadline: Cycles) -> Option<MonoNs> {
    let now = ffi::ktime_get();
    let armed = armed_expiry(deadline)?;

    if armed > now {
        return Some(armed);
    }
    // The nominal distance counts from this CPU's TSC, the exact expiry does not.
    expiry(deadline).filter(|exact| *exact > now)
}

/// Converts a distance in `CLOCK_MONOTONIC_RAW` to the one in `CLOCK_MONOTONIC`, at today's rate.
pub(crate) fn scale(raw: RawNs) -> MonoNs {
    match CURRENT.read() {
        Some((snapshot, _)) => scale_ns(raw, snapshot.timeline.rate, snapshot.raw),
        None => MonoNs::new(raw.get()),
    }
}
