// SPDX-License-Identifier: GPL-2.0

//! From the expiry that KVM asks for back to the deadline that it means.
//!
//! KVM turns the cycles of a guest's timer into nanoseconds, by the TSC's nominal frequency, and adds
//! them to what the monotonic clock reads. Here both are undone.

use crate::{
    clock::{
        frequency::Frequency,
        snapshot::{
            self,
            Snapshot, //
        }, //
    },
    ffi::Word,
    units::{
        Cycles,
        MonoNs,
        RawNs, //
    }, //
};

/// The frequency that KVM converts by. Written before the hooks are placed.
static CYCLES_PER_NS: Word = Word::new(0);
static NS_PER_CYCLE: Word = Word::new(0);

/// Sets the frequency that KVM converts by.
pub(crate) fn set_frequency(frequency: Frequency) {
    CYCLES_PER_NS.store_release(frequency.cycles_per_ns);
    NS_PER_CYCLE.store_release(frequency.ns_per_cycle);
}

#[inline]
fn frequency() -> Frequency {
    Frequency {
        cycles_per_ns: CYCLES_PER_NS.load(),
        ns_per_cycle: NS_PER_CYCLE.load(),
    }
}

/// Returns the snapshot, if the clocksource is the TSC. Any context.
#[inline]
pub(super) fn tsc_snapshot() -> Option<Snapshot> {
    let (snapshot, _) = snapshot::current()?;

    snapshot.is_tsc().then_some(snapshot)
}

/// Returns the deadline for which KVM, whose clock reads what `snapshot` says at `now`, asks for `expiry`.
#[inline]
pub(super) fn deadline_of(snapshot: &Snapshot, expiry: MonoNs, now: Cycles) -> Cycles {
    let ns = expiry
        .get()
        .saturating_sub(snapshot.timeline.mono(now).get());

    // Due already.
    if ns <= 0 {
        return now;
    }
    after(now, RawNs::new(ns))
}

/// Returns the TSC value that KVM takes to be so many nanoseconds, not negative, after `from`.
#[inline]
pub(super) fn after(from: Cycles, ns: RawNs) -> Cycles {
    let cycles = frequency().cycles(ns.get().unsigned_abs());

    Cycles::new(from.get().saturating_add(cycles.get()))
}

/// Returns the nanoseconds from `now` to `deadline` as KVM counts them, 0 if it is past.
pub(super) fn ns_until(deadline: Cycles, now: Cycles) -> RawNs {
    let left = deadline.get().saturating_sub(now.get());

    // CAST: `ns()` returns at most `i64::MAX`.
    RawNs::new(frequency().ns(Cycles::new(left)) as i64)
}
