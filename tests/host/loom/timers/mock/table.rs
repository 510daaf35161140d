// SPDX-License-Identifier: GPL-2.0

//! The models of the table of records.

use crate::{
    rate::{
        Cycles,
        MonoNs, //
    },
    records::{
        Key,
        Record,
        Records, //
    },
};

use loom::thread::spawn;
use std::sync::Arc;

/// Addresses of timers, and about their deadlines.
const OTHER: usize = 0x1000;
const THIRD: usize = 0x8000;
const NAMELESS: usize = 0x10_0000;
const ONE: usize = 0x20_0000;

/// The TSC. All deadlines are beyond it, but [`PAST`].
const NOW: u64 = 100;
const PAST: u64 = 1;

/// The n-th record of a timer, which tells both.
fn record(timer: usize, n: u64) -> Record {
    let id = timer as u64 + n;

    Record {
        deadline: Cycles::new(id),
        expiry: MonoNs::new(id as i64),
    }
}

/// A table of [`WAYS`](super::records) places.
#[derive(Clone)]
struct Table(Arc<Records>);

impl Table {
    /// With a record of [`ONE`] that is stale, and live ones of timers without a name in all places
    /// but that and `free` others.
    fn new(free: usize) -> Self {
        // In its place before it is used: loom's objects go by the addresses of the words.
        let table = Self(Arc::new(Records::new()));
        // All words before there is a second thread.
        let mut places = Vec::new();
        while table.put(NAMELESS + 8 * places.len(), 1, PAST) {
            places.push(NAMELESS + 8 * places.len());
        }
        assert_eq!(places.len(), 2, "the table is not as small as it should be");
        for key in places.iter().take(free + 1) {
            table.0.remove(Key::new(*key));
        }
        let stale = Record {
            deadline: Cycles::new(PAST),
            expiry: MonoNs::new(PAST as i64),
        };
        assert!(
            table.0.put(Key::new(ONE), &stale, Cycles::new(PAST)),
            "it is still there, though removed"
        );
        table
    }

    /// Records the timer's n-th arming at `now`, and finds it again, as the timer's owner does.
    fn put(&self, timer: usize, n: u64, now: u64) -> bool {
        let record = record(timer, n);
        let done = self.0.put(Key::new(timer), &record, Cycles::new(now));

        if done {
            assert!(
                self.0.find(Key::new(timer)) == Some(record),
                "a record is lost"
            );
        }
        done
    }

    /// What is found for a timer that was armed `n` times last is its own.
    fn assert_own(&self, timer: usize, n: u64) {
        let found = self.0.find(Key::new(timer));

        assert!(found == Some(record(timer, n)), "a record is another's");
    }
}

/// A timer is armed anew while another one looks for room, and finds its record stale.
pub fn a_new_arming_and_another() {
    let table = Table::new(0);
    let other = table.clone();
    let thread = spawn(move || other.put(OTHER, 1, NOW));

    let one = table.put(ONE, 2, NOW);
    let other = thread.join().expect("no panic");
    assert!(one != other, "one of two has room");
    table.assert_own(if one { ONE } else { OTHER }, 1 + u64::from(one));
    assert!(table.0.is_any_pending(Cycles::new(NOW)), "one is pending");
}

/// The same with room for both.
pub fn room_for_both() {
    let table = Table::new(1);
    let other = table.clone();
    let thread = spawn(move || other.put(OTHER, 1, NOW));

    assert!(table.put(ONE, 2, NOW), "there is room for one");
    // It may have been taken by one, in the moment in which the other looked at it.
    let other = thread.join().expect("no panic");
    table.assert_own(ONE, 2);
    if other {
        table.assert_own(OTHER, 1);
    }
}

/// A record is looked for while it is taken for another timer, twice.
///
/// Who takes it is the first thread, see `write_and_read()` of the latch.
pub fn a_find() {
    let table = Table::new(0);
    let owner = table.clone();
    let thread = spawn(move || {
        let found = owner.0.find(Key::new(ONE));
        let stale =
            |found: Record| (found.deadline.get(), found.expiry.get()) == (PAST, PAST as i64);
        assert!(found.is_none_or(stale), "a record is another's");
    });

    assert!(table.put(OTHER, 1, NOW), "a stale one is to be had");
    // Its deadline has passed.
    assert!(table.put(THIRD, 1, THIRD as u64), "it is stale");
    thread.join().expect("no panic");
    table.assert_own(THIRD, 1);
}

/// A record is removed while it is taken for another timer.
pub fn a_removal() {
    let table = Table::new(0);
    let other = table.clone();
    let thread = spawn(move || other.put(OTHER, 1, NOW));

    table.0.remove(Key::new(ONE));
    assert!(table.0.find(Key::new(ONE)).is_none(), "it is still there");
    if thread.join().expect("no panic") {
        table.assert_own(OTHER, 1);
    }
}

/// The TSC counts anew: there is room for all, and nobody to wait for.
pub fn a_restarted_tsc() {
    let table = Table::new(0);

    table.0.clear();
    assert!(
        !table.0.is_any_pending(Cycles::new(NOW)),
        "it is still there"
    );
    assert!(table.put(ONE, 2, NOW), "there is room for one");
    assert!(table.put(OTHER, 1, NOW), "there is room for the other");
}

/// A pending timer is armed anew while others look for room, of which there is none, and removal
/// looks whether any is pending.
pub fn a_pending_timer() {
    let table = Table::new(0);
    let others = table.clone();

    assert!(table.put(ONE, 2, NOW), "it has its own");
    let thread = spawn(move || {
        assert!(!others.put(OTHER, 1, NOW), "a pending timer's is taken");
        assert!(
            others.0.is_any_pending(Cycles::new(ONE as u64)),
            "none is pending"
        );
    });
    assert!(table.put(ONE, 3, NOW), "a record is lost");
    thread.join().expect("no panic");
    table.assert_own(ONE, 3);
}
