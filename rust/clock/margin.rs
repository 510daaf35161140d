// SPDX-License-Identifier: GPL-2.0

//! How much earlier than its exact expiry to arm a timer where the clockevent counts nanoseconds of its
//! own.
//!
//! Such a clockevent takes the monotonic nanoseconds until an expiry for nominal ones. Where the clock
//! is fast, it would fire late by the skew: so the timer is armed for the nominal distance, and its
//! callback moves the timer if something else makes it run before the deadline. Pure arithmetic under
//! the rules of [`units`](super::units).
//!
//! # Vocabulary
//!
//! * **margin**: how much earlier the nominal distance from now ends than the exact expiry.

use super::{
    deadline::Timeline,
    rate::Rate,
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// A margin below this is not worth an interrupt: it is about what one takes.
const WORTH_NS: i64 = 1000;

/// Returns the expiry at which a clockevent that counts nominal nanoseconds fires for `deadline`: the
/// exact one, or an earlier one where the clock is fast.
///
/// `line` is at the rate by which expiries are computed, `raw` the nominal rate, `now` the TSC.
#[inline]
pub(crate) const fn expiry(line: &Timeline, raw: Rate, deadline: Cycles, now: Cycles) -> MonoNs {
    let exact = line.expiry(deadline).ns();
    let (cycles, past) = deadline.get().overflowing_sub(now.get());
    if past {
        return exact;
    }
    let mult = if line.rate.mult() < raw.mult() {
        line.rate.mult()
    } else {
        raw.mult()
    };
    let ns = (cycles as u128).wrapping_mul(mult as u128) >> line.rate.bits();
    if ns > i64::MAX as u128 {
        return exact;
    }
    // CAST: Just found to fit.
    let early = line.mono(now).get().saturating_add(ns as i64);

    if exact.get().saturating_sub(early) < WORTH_NS {
        exact
    } else {
        MonoNs::new(early)
    }
}
