// SPDX-License-Identifier: GPL-2.0

//! How much earlier than necessary to look at a timer that cannot be re-armed.
//!
//! Where a pending timer is out of reach, only its own callback can notice that the clock has slowed
//! down meanwhile: so it runs early, and finishes. Pure arithmetic under the rules of
//! [`rate`](super::rate).
//!
//! # Vocabulary
//!
//! * **floor**: the slowest rate that a timer is safe against: the lower of the present rate and the
//!   nominal one, less a reserve.
//! * **margin**: how much earlier a timer's expiry is at the floor than at the present rate.

use super::{
    deadline::Timeline,
    rate::{
        Cycles,
        MonoNs,
        Rate, //
    }, //
};

/// A margin below this is not worth an interrupt: it is about what one takes.
const WORTH_NS: i64 = 1000;

/// A part of 1, in units of 2^-32; below 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fraction(u64);

impl Fraction {
    /// Nothing.
    pub(crate) const ZERO: Self = Self(0);

    /// Creates it from its bits, of which the upper half is ignored.
    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits & 0xffff_ffff)
    }
}

/// Returns the expiry at which to look at a timer for `deadline`: the exact one, or one that is not
/// late even if the clock slows down to the floor at once.
///
/// `line` is at the rate by which expiries are computed, `raw` the nominal rate, `now` the TSC.
#[inline]
pub(crate) const fn expiry(
    line: &Timeline,
    raw: Rate,
    reserve: Fraction,
    deadline: Cycles,
    now: Cycles,
) -> MonoNs {
    let exact = line.expiry(deadline).ns();
    let (cycles, past) = deadline.get().overflowing_sub(now.get());
    if past {
        return exact;
    }
    let mult = if line.rate.mult() < raw.mult() {
        line.rate.mult()
    } else {
        raw.mult()
    } as u64;
    // Both factors are below 2^32.
    let floor = mult.wrapping_sub(mult.wrapping_mul(reserve.0) >> 32);
    let ns = (cycles as u128).wrapping_mul(floor as u128) >> line.rate.bits();
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
