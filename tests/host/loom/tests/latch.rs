// SPDX-License-Identifier: GPL-2.0

//! The snapshot's latch under loom: in every interleaving, and with every value that a load may
//! return, where stated within a bound on preemptions.

use kernel::{
    plant,
    Fault, //
};
use loom::{
    model::Builder,
    sync::Arc,
    thread, //
};
use raw_hrtimer_loom::Numbered;
use std::{
    panic::catch_unwind,
    sync::{
        Mutex,
        MutexGuard,
        PoisonError, //
    },
};

/// Two are published before anybody reads, so that both slots exist; then one is published while
/// it is read, which overwrites the older of the two, and a second, which overwrites the newer.
const FIRST: u32 = 2;

/// A planted fault is everybody's.
fn alone(fault: Fault) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());

    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    plant(fault);
    guard
}

/// Runs a model in all its interleavings, or those with so many preemptions; returns how many there
/// were.
fn explore(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) -> usize {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;

    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    runs.load(std::sync::atomic::Ordering::Relaxed)
}

fn published() -> Arc<Numbered> {
    let latch = Arc::new(Numbered::new());
    for n in 1..=FIRST {
        latch.publish(n);
    }
    latch
}

/// One writer publishes `more` snapshots while another thread reads `reads` times.
///
/// The writer is the first thread, which loom runs first: then each load of the reader meets a
/// store that it could have come before. The other way round, the writer's own load of the number
/// hides the reader's from loom, which keeps one last access of each object.
fn write_and_read(more: u32, reads: usize) {
    let latch = published();
    let reader = {
        let latch = latch.clone();
        thread::spawn(move || {
            let mut last = FIRST;
            for _ in 0..reads {
                let n = latch.read().expect("published before");
                assert!(last <= n, "{n} read after {last}");
                last = n;
            }
        })
    };

    for n in 1..=more {
        latch.publish(FIRST + n);
    }
    reader.join().expect("no panic");
    assert_eq!(latch.read(), Some(FIRST + more), "the last one is read");
}

/// Explores, and says how much; so that a model which loom does not take apart cannot pass.
fn hold(preemptions: Option<usize>, more: u32, reads: usize) {
    let _alone = alone(Fault::None);
    let runs = explore(preemptions, move || write_and_read(more, reads));

    println!("{more} published, {reads} read: {runs} interleavings");
    assert!(runs > 1000, "{runs} interleavings explored");
}

#[test]
fn nothing_is_read_before_the_first() {
    let _alone = alone(Fault::None);

    explore(None, || {
        let latch = Numbered::new();
        assert_eq!(latch.read(), None);
        latch.publish(1);
        assert_eq!(latch.read(), Some(1));
        latch.publish(2);
        assert_eq!(latch.read(), Some(2));
    });
}

#[test]
fn no_read_is_torn() {
    hold(None, 2, 1);
}

#[test]
fn reads_do_not_go_back() {
    hold(Some(6), 2, 2);
}

#[test]
fn both_slots_are_overwritten_twice() {
    hold(Some(5), 3, 1);
}

#[test]
fn each_planted_fault_is_found() {
    for fault in [Fault::Release, Fault::Acquire] {
        let _alone = alone(fault);
        let found = catch_unwind(|| explore(None, || write_and_read(2, 1)));

        assert!(found.is_err(), "{fault:?} is not noticed");
    }
}
