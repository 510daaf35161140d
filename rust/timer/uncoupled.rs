// SPDX-License-Identifier: GPL-2.0

//! Expiries where the clock is fast and the clockevent does not count the TSC, but nanoseconds of its own.
//!
//! Such a clockevent takes the monotonic nanoseconds until an expiry for its own, and so would fire late by
//! the skew. There a timer is armed for the nominal distance from now, and the callback restarts the timer
//! if something else makes it run before the deadline. See [`margin`].

use crate::{
    clock::{
        deadline::Timeline,
        margin,
        rate::Rate,
        snapshot, //
    },
    counters,
    ffi::{
        self,
        SLACK, //
    },
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// How long ago the event that the clockevent is programmed for may have been programmed.
const LONG_AGO: MonoNs = MonoNs::new(1_000_000_000);

/// An expiry, and the rates that it was computed by.
struct Nominal {
    expiry: MonoNs,
    mono: Rate,
    raw: Rate,
}

/// Reads the snapshot again, so that the hot caller need not spill its own.
fn nominal(deadline: Cycles) -> Option<Nominal> {
    let current = snapshot::current().filter(|(snapshot, _)| snapshot.is_tsc());
    let Some((snapshot, _)) = current else {
        counters::PLAIN.count();
        return None;
    };
    let (line, now) = (snapshot.timeline, ffi::rdtsc());
    let expiry = if SLACK == MonoNs::new(0) {
        margin::expiry(&line, snapshot.raw, deadline, now)
    } else {
        // Without a margin's least, as what is left of the distance is waited for.
        let from_now = Timeline {
            cycle_last: now,
            rate: snapshot.raw,
            xtime_nsec: 0,
            base: line.mono(now),
        };
        from_now
            .expiry(deadline)
            .ns()
            .min(line.expiry(deadline).ns())
    };

    Some(Nominal {
        expiry,
        mono: line.rate,
        raw: snapshot.raw,
    })
}

/// Returns the expiry that a timer for `deadline` is to have; `None` if the clocksource is not the TSC.
#[cold]
#[inline(never)]
pub(super) fn armed_expiry(deadline: Cycles) -> Option<MonoNs> {
    Some(nominal(deadline)?.expiry)
}

/// Returns the expiry to start a timer for `deadline` with; `None` if the clocksource is not the TSC.
///
/// That is the one that the timer is to have, or an earlier one at which the hrtimer core programs the
/// clockevent anew. The core leaves the clockevent alone if the expiry is not before the event that it is
/// programmed for. But that event may come after the deadline: it is late by the skew of the time since it
/// was programmed. What is programmed now comes no later than the nominal distance from now, and the
/// callback restarts the timer.
#[cold]
#[inline(never)]
pub(super) fn start_expiry(deadline: Cycles) -> Option<MonoNs> {
    let nominal = nominal(deadline)?;
    let event = ffi::event_expiry();
    let after = nominal.expiry.get().saturating_sub(event.get());

    if after >= 0 && is_within_skew(after, nominal.mono, nominal.raw) {
        return Some(MonoNs::new(event.get().saturating_sub(1)));
    }
    Some(nominal.expiry)
}

/// Whether an event that was programmed [`LONG_AGO`] may be late by more than `ns`.
fn is_within_skew(ns: i64, mono: Rate, raw: Rate) -> bool {
    let skew = u64::from(mono.mult().saturating_sub(raw.mult()));

    // CAST: Neither is negative, and both products fit, because a `mult` has 32 bits.
    ns < LONG_AGO.get() && ns as u64 * u64::from(raw.mult()) < LONG_AGO.get() as u64 * skew
}
