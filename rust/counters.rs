// SPDX-License-Identifier: GPL-2.0

//! What the module counts. [`debugfs`](crate::debugfs) prints it.

use crate::ffi::Word;

pub(crate) use crate::ffi::counter::*;

/// A count with one writer at a time: the listener, under the timekeeper's lock. It is written on each
/// tick, and so in a cache line of its own.
#[repr(align(64))]
pub(crate) struct Tally(Word);

impl Tally {
    /// Counts one event.
    #[inline]
    pub(crate) fn count(&self) {
        self.0.store_release(self.0.load().wrapping_add(1));
    }

    /// Returns how many there were.
    pub(crate) fn get(&self) -> u64 {
        self.0.load()
    }
}

pub(crate) static UPDATES: Tally = Tally(Word::new(0));
pub(crate) static RATE_CHANGES: Tally = Tally(Word::new(0));
pub(crate) static CLOCKSOURCE_CHANGES: Tally = Tally(Word::new(0));
