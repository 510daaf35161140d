// SPDX-License-Identifier: GPL-2.0

//! Timers whose start no hook has seen.
//!
//! A timer that was pending when the hooks were placed, or when its vCPU's entries were retired, has such
//! a callback twice at most: its callback may run, and the timer be queued again, at that moment. A hook
//! sees any later start. If the same timer has it more often in a row, KVM starts its timers by a function
//! that is not hooked.

use super::cover;

use crate::{
    counters,
    ffi::{
        Target,
        Timer,
        Word, //
    }, //
};

/// How many callbacks in a row without a start are one too many.
const TOO_MANY: u64 = 3;

/// Such timers, by a hash of the address: the address, and in its low bits how often in a row. One
/// overwrites another.
static UNSEEN: [Word; 64] = [const { Word::new(0) }; 64];

/// Notes that the callback of `timer` has run, and that no hook has seen a start of it.
#[cold]
#[inline(never)]
pub(super) fn note_callback(timer: Timer<'_>) {
    let last = slot_of(timer);
    let times = times_in_a_row(last, timer).wrapping_add(1);

    counters::UNSEEN.count();
    if times >= TOO_MANY {
        if let Some(target) = Target::of(timer) {
            cover::set_blind(target);
        }
    }
    last.store_release(address_of(timer) | times.min(TOO_MANY));
}

/// Notes that a hook has seen a start of `timer`, which had no deadline before.
#[cold]
#[inline(never)]
pub(super) fn note_start(timer: Timer<'_>) {
    let last = slot_of(timer);

    if times_in_a_row(last, timer) != 0 {
        last.store_release(0);
    }
}

/// Returns how often in a row `last` has counted `timer`.
fn times_in_a_row(last: &Word, timer: Timer<'_>) -> u64 {
    // A timer's address is a multiple of 8.
    match last.load() ^ address_of(timer) {
        times @ 1..=TOO_MANY => times,
        _ => 0,
    }
}

/// Returns the word that counts `timer`.
fn slot_of(timer: Timer<'_>) -> &'static Word {
    // CAST: The remainder is an index of the array.
    &UNSEEN[(address_of(timer) >> 6) as usize % UNSEEN.len()]
}

fn address_of(timer: Timer<'_>) -> u64 {
    // CAST: An address has 64 bits.
    timer.address() as u64
}
