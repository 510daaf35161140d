// SPDX-License-Identifier: GPL-2.0

//! The deadlines of timers whose owners know nothing of them.
//!
//! # Vocabulary
//!
//! * **key**: a timer's address. It is compared, never followed.
//! * **record**: what a key's timer was last armed for.
//! * **stale**: a record whose deadline has passed. Losing it changes nothing, so it may be taken
//!   for another timer: no one has to tell that a timer was cancelled, or that it is gone.
//! * **claim**: exclusive use of an entry, had by exchanging its deadline for [`CLAIMED`]. So only
//!   one that is still stale can be taken from its timer, and nobody else's is ever away.
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

/// A timer's identity.
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

/// A deadline: there is no record. It has passed, like that of a stale one.
const FREE: u64 = 0;

/// A deadline: the entry is being written. It has not passed.
const CLAIMED: u64 = u64::MAX;

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
    deadline: Atomic<u64>,
    key: Atomic<u64>,
    expiry: Atomic<i64>,
}

impl Entry {
    const fn new() -> Self {
        Self {
            deadline: Atomic::new(FREE),
            key: Atomic::new(0),
            expiry: Atomic::new(0),
        }
    }

    /// Returns the deadline if the record is `key`'s.
    #[inline]
    fn deadline_of(&self, key: Key) -> Option<u64> {
        let deadline = self.deadline.load(Acquire);

        (deadline != FREE && deadline != CLAIMED && self.key.load(Relaxed) == key.0)
            .then_some(deadline)
    }

    /// Claims it if its deadline is still this one.
    #[inline]
    fn claim(&self, deadline: u64) -> bool {
        self.deadline.cmpxchg(deadline, CLAIMED, Acquire).is_ok()
    }

    /// Frees it if its deadline is still this one; else it is another record by now.
    #[inline]
    fn free(&self, deadline: u64) {
        let _ = self.deadline.cmpxchg(deadline, FREE, Release);
    }

    /// Fills one that is claimed, and gives the claim up.
    #[inline]
    fn fill(&self, key: Key, record: &Record) {
        self.key.store(key.0, Relaxed);
        self.expiry.store(record.expiry.get(), Relaxed);
        // Centuries away, where it is neither of the two.
        let deadline = record.deadline.get().clamp(FREE + 1, CLAIMED - 1);
        self.deadline.store(deadline, Release);
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
            let Some(deadline) = entry.deadline_of(key) else {
                continue;
            };
            let record = Record {
                deadline: Cycles::new(deadline),
                expiry: MonoNs::new(entry.expiry.load(Relaxed)),
            };
            // Taken for another timer meanwhile? Then it was stale. The exchange of a deadline for
            // itself is ordered after the loads.
            if entry.deadline.cmpxchg(deadline, deadline, Release).is_ok() {
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
            if let Some(deadline) = entry.deadline_of(key) {
                if entry.claim(deadline) {
                    entry.fill(key, record);
                    return true;
                }
            }
        }
        for entry in set {
            let deadline = entry.deadline.load(Relaxed);

            if Cycles::new(deadline) < now && entry.claim(deadline) {
                entry.fill(key, record);
                return true;
            }
        }
        false
    }

    /// Whether a timer may be pending: one that was cancelled looks as if it were.
    pub(crate) fn is_any_pending(&self, now: Cycles) -> bool {
        let mut entries = self.0.iter().flatten();

        entries.any(|entry| Cycles::new(entry.deadline.load(Relaxed)) >= now)
    }

    /// Forgets all records but what is being written.
    pub(crate) fn clear(&self) {
        for entry in self.0.iter().flatten() {
            let deadline = entry.deadline.load(Relaxed);

            if deadline != CLAIMED {
                entry.free(deadline);
            }
        }
    }

    /// Forgets `key`'s record.
    #[inline]
    pub(crate) fn remove(&self, key: Key) {
        for entry in self.set(key) {
            if let Some(deadline) = entry.deadline_of(key) {
                entry.free(deadline);
            }
        }
    }
}
