// SPDX-License-Identifier: GPL-2.0

//! The deadlines of timers whose owners know nothing of them.
//!
//! # Vocabulary
//!
//! * **key**: a timer's address. It is compared, never followed.
//! * **record**: what a key's timer was last armed for.
//! * **claim**: exclusive use of a record, had by exchanging its key for [`CLAIMED`].
//! * **stale**: a record whose deadline has passed. Losing it changes nothing, so it may be taken
//!   for another timer: no one has to tell that a timer was cancelled, or that it is gone.
//!
//! A fixed number of records, no lock, no waiting: who does not find room leaves the timer as it is.

use crate::rate::{
    Cycles,
    MonoNs, //
};

use kernel::sync::atomic::{
    Acquire,
    Atomic,
    Relaxed,
    Release, //
};

/// A timer's identity; neither 0 nor [`CLAIMED`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// Makes a key of an address.
    #[inline]
    pub(crate) fn new(address: usize) -> Self {
        // CAST: An address has 64 bits.
        Self(address as u64)
    }
}

/// No timer.
const FREE: u64 = 0;

/// Being written. No timer's address: those are aligned.
const CLAIMED: u64 = 1;

/// Records in a set: a timer's is in the one set that its key selects.
const WAYS: usize = 4;

/// Sets, a power of two.
const SETS: usize = 1024;

/// What a timer was armed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it is to expire.
    pub(crate) deadline: Cycles,
    /// The expiry that it was given for that.
    pub(crate) expiry: MonoNs,
}

struct Entry {
    key: Atomic<u64>,
    deadline: Atomic<u64>,
    expiry: Atomic<i64>,
}

impl Entry {
    const fn new() -> Self {
        Self {
            key: Atomic::new(FREE),
            deadline: Atomic::new(0),
            expiry: Atomic::new(0),
        }
    }

    #[inline]
    fn claim(&self, key: u64) -> bool {
        self.key.cmpxchg(key, CLAIMED, Acquire).is_ok()
    }

    /// Fills a record that is claimed, and gives the claim up.
    #[inline]
    fn fill(&self, key: Key, record: &Record) {
        self.deadline.store(record.deadline.get(), Relaxed);
        self.expiry.store(record.expiry.get(), Relaxed);
        self.key.store(key.0, Release);
    }
}

/// The records.
pub(crate) struct Records([[Entry; WAYS]; SETS]);

impl Records {
    /// Creates an empty table.
    pub(crate) const fn new() -> Self {
        Self([const { [const { Entry::new() }; WAYS] }; SETS])
    }

    #[inline]
    fn set(&self, key: Key) -> &[Entry; WAYS] {
        // As `hash_64()` does; the upper bits are the mixed ones.
        let hash = key.0.wrapping_mul(0x61c8_8646_80b5_83eb) >> 32;

        // CAST: The remainder is an index of the array, so there is no bound to check.
        &self.0[(hash as usize) % SETS]
    }

    /// Returns what `key`'s timer was last armed for. Called in that timer's arm or callback, so
    /// that nobody arms it at the same time.
    #[inline]
    pub(crate) fn find(&self, key: Key) -> Option<Record> {
        for entry in self.set(key) {
            if entry.key.load(Acquire) != key.0 {
                continue;
            }
            let record = Record {
                deadline: Cycles::new(entry.deadline.load(Relaxed)),
                expiry: MonoNs::new(entry.expiry.load(Relaxed)),
            };
            // Taken for another timer meanwhile? Then it was stale. The exchange of a key for
            // itself is ordered after the loads.
            if entry.key.cmpxchg(key.0, key.0, Release).is_ok() {
                return Some(record);
            }
            return None;
        }
        None
    }

    /// Records what `key`'s timer is armed for; `false` if there is no room.
    #[inline]
    pub(crate) fn put(&self, key: Key, record: &Record, now: Cycles) -> bool {
        let set = self.set(key);

        for entry in set {
            if entry.key.load(Relaxed) == key.0 && entry.claim(key.0) {
                entry.fill(key, record);
                return true;
            }
        }
        for entry in set {
            let old = entry.key.load(Acquire);
            let free =
                old == FREE || (old != CLAIMED && Cycles::new(entry.deadline.load(Relaxed)) < now);

            if free && entry.claim(old) {
                // Its timer may have been armed anew between the two: then it is not to be had.
                if old != FREE && Cycles::new(entry.deadline.load(Relaxed)) >= now {
                    entry.key.store(old, Release);
                    continue;
                }
                entry.fill(key, record);
                return true;
            }
        }
        false
    }

    /// Whether a timer may be pending: one that was cancelled looks as if it were.
    pub(crate) fn is_any_pending(&self, now: Cycles) -> bool {
        self.0.iter().flatten().any(|entry| {
            entry.key.load(Acquire) != FREE && Cycles::new(entry.deadline.load(Relaxed)) >= now
        })
    }

    /// Forgets `key`'s record.
    #[inline]
    pub(crate) fn remove(&self, key: Key) {
        for entry in self.set(key) {
            if entry.key.load(Relaxed) == key.0 && entry.claim(key.0) {
                entry.key.store(FREE, Release);
            }
        }
    }
}
