// SPDX-License-Identifier: GPL-2.0

//! What is counted on each CPU.

use super::bindings;

/// An event that is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter(bindings::rht_counter);

impl Counter {
    /// Counts one event. Any context.
    #[inline]
    pub(crate) fn count(self) {
        // One instruction where the C function would be a call: most of what arming costs is such.
        // SAFETY: `self` is one of the constants below, so it is inside the array of counters, of
        // which `%gs` selects this CPU's; one instruction is done with in any context.
        unsafe {
            core::arch::asm!(
                "incq %gs:{counters}(,{index},8)",
                counters = sym bindings::rht_counters,
                index = in(reg) u64::from(self.0),
                options(att_syntax, nostack),
            );
        }
    }

    /// Returns how many there were on all CPUs.
    pub(crate) fn sum(self) -> u64 {
        // SAFETY: As in `count()`; the words are only read.
        unsafe { bindings::rht_counter_sum(self.0) }
    }
}

pub(crate) const STARTS: Counter = Counter(bindings::rht_counter_RHT_STARTS);
pub(crate) const RESTARTS: Counter = Counter(bindings::rht_counter_RHT_RESTARTS);
pub(crate) const PAST: Counter = Counter(bindings::rht_counter_RHT_PAST);
pub(crate) const SATURATED: Counter = Counter(bindings::rht_counter_RHT_SATURATED);
pub(crate) const PLAIN: Counter = Counter(bindings::rht_counter_RHT_PLAIN);
pub(crate) const WRONG_CLOCK: Counter = Counter(bindings::rht_counter_RHT_WRONG_CLOCK);
pub(crate) const WRONG_MODE: Counter = Counter(bindings::rht_counter_RHT_WRONG_MODE);
pub(crate) const PASSES: Counter = Counter(bindings::rht_counter_RHT_PASSES);
pub(crate) const NO_ROOM: Counter = Counter(bindings::rht_counter_RHT_NO_ROOM);
pub(crate) const REARMS: Counter = Counter(bindings::rht_counter_RHT_REARMS);
pub(crate) const UNSEEN: Counter = Counter(bindings::rht_counter_RHT_UNSEEN);
