// SPDX-License-Identifier: GPL-2.0

//! Two words of the timekeeper in one, so that they are stored, loaded or compared at once.

use crate::clock::rate::Rate;

/// Returns `low`, and above it `high`.
#[inline(always)]
pub(crate) fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Returns the two that [`pair()`] was given.
#[inline(always)]
pub(crate) fn halves(pair: u64) -> (u32, u32) {
    // CAST: The lower half, and the upper one.
    (pair as u32, (pair >> 32) as u32)
}

/// Returns the rate whose `mult` and `shift` were paired; `None` if no clocksource has it.
#[inline(always)]
pub(crate) fn rate_of(pair: u64) -> Option<Rate> {
    let (mult, shift) = halves(pair);

    Rate::new(mult, shift)
}
