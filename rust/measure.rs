// SPDX-License-Identifier: GPL-2.0

//! Other ways to arm a timer, to be measured beside this module's (parameter `measure`).
//!
//! * `arm`: the time until the deadline, times the rate of that moment, as it was proposed on the
//!   list in 2024. Nothing is done in the callback, so a change of rate makes a timer early or late.
//! * `finish`: as KVM arms it, at the nominal rate; the callback moves a timer that is early, as KVM
//!   does on arm64, riscv and s390. A clock that runs slowly makes a timer late.

use crate::{
    ffi::Measure,
    frequency::Frequency,
    rate::{
        scale,
        Cycles,
        MonoNs,
        RawNs, //
    },
    snapshot::Snapshot, //
};

/// Returns the expiry for `deadline` at `now`. Divides: not for use.
pub(crate) fn expiry(
    measure: Measure,
    snapshot: &Snapshot,
    frequency: Frequency,
    deadline: Cycles,
    now: Cycles,
) -> MonoNs {
    let left = Cycles::new(deadline.get().saturating_sub(now.get()));
    // CAST: `ns()` returns at most `i64::MAX`.
    let left = RawNs::new(frequency.ns(left) as i64);
    let ns = match measure {
        Measure::Arm => scale(left, snapshot.timeline.rate, snapshot.raw).get(),
        Measure::Off | Measure::Finish => left.get(),
    };

    MonoNs::new(snapshot.timeline.mono(now).get().saturating_add(ns))
}
