// SPDX-License-Identifier: GPL-2.0

//! What a change of rate does to pending timers.
//!
//! # Vocabulary
//!
//! * **node**: a `struct tsc_timer`, which the owner of an hrtimer embeds beside it.
//! * **pending**: on the list of the CPU that armed it.
//! * **pass**: one look at all pending timers, after a slow-down of the monotonic clock. A speed-up
//!   needs none: a timer that it makes early is moved by its own callback.
//!
//! A node is on a list only between its owner's start and its owner's cancel, or its expiry, and the
//! list's lock is held whenever one is looked at. Lock order: a list's, then the hrtimer core's.

use crate::{
    ffi::{
        self,
        Mode,
        Node,
        Queue, //
    },
    hrtimer,
    rate::{
        Change,
        Rate, //
    },
    snapshot::Snapshot,
    stats, //
};

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// No node is put on a list any more.
static CLOSED: Atomic<i32> = Atomic::new(0);

/// The rate of the last pass, packed, against which a drift in single units adds up. Written by the
/// listener alone.
static REFERENCE: Atomic<u64> = Atomic::new(0);

/// The lists, and the way from the listener to them.
pub(crate) struct Rearm(());

impl Rearm {
    /// Empties the lists. Nothing is armed before this.
    pub(crate) fn new() -> Self {
        ffi::queues_init();
        Self(())
    }
}

impl Drop for Rearm {
    /// Waits for a pass that was asked for. The listener is gone, so no further one will be.
    fn drop(&mut self) {
        ffi::pass_flush();
    }
}

/// Asks for a pass if `new` makes a pending timer late. Called by the listener.
#[inline]
pub(crate) fn notice(new: &Snapshot, stepped: bool) {
    let rate = new.timeline.rate;
    let reference = REFERENCE.load(Relaxed);
    // CAST: Packed below.
    let reference = Rate::new(reference as u32, (reference >> 32) as u32);

    match reference.map(|reference| rate.change_from(reference)) {
        Some(Change::Steady) if !stepped => return,
        Some(Change::Faster) if !stepped => (),
        _ if ffi::param_rearm() => ffi::pass_queue(),
        _ => (),
    }
    REFERENCE.store(
        u64::from(rate.mult()) | u64::from(rate.shift()) << 32,
        Relaxed,
    );
}

/// Sends each CPU with pending timers to look at them. Context: the irq_work's.
pub(crate) fn pass() {
    stats::PASSES.count();
    for cpu in ffi::possible_cpus() {
        let pending = !Queue::lock(cpu).is_empty();

        // An offline CPU's timers have moved to another one, its list has not.
        if pending && !ffi::rearm_on(cpu) {
            rearm(cpu);
        }
    }
}

/// Gives the pending timers of `cpu` that would be late their new expiry.
///
/// Context: hard interrupt, on `cpu` unless that is offline.
pub(crate) fn rearm(cpu: i32) {
    let queue = Queue::lock(cpu);

    for node in queue.iter() {
        let timer = node.timer();
        let Some(expiry) = hrtimer::expiry(node.deadline()) else {
            return;
        };
        // A callback that is running does this itself.
        if expiry < timer.expires() && timer.try_to_cancel() {
            stats::REARMS.count();
            timer.start(expiry, node.mode());
        }
    }
}

/// Arms a node's timer and keeps it in view. Returns `false`, having done nothing, where its
/// deadline has no expiry.
pub(crate) fn start(node: Node<'_>, mode: Mode) -> bool {
    let timer = node.timer();

    stats::STARTS.count();
    if !timer.is_monotonic() {
        stats::WRONG_CLOCK.count();
        ffi::warn_clock();
        return false;
    }
    node.set_mode(mode.absolute());
    forget(node);

    // With interrupts off from before the rate is read until the timer is queued, a pass that this
    // rate does not know about comes after, and finds the timer.
    let queue = Queue::lock_local();
    let Some(expiry) = hrtimer::expiry(node.deadline()) else {
        return false;
    };
    if CLOSED.load(Relaxed) == 0 {
        queue.add(node);
    }
    timer.start(expiry, node.mode());
    true
}

/// In the callback: `true` if it ran early and its timer has been moved to the exact expiry.
#[inline]
pub(crate) fn restart(node: Node<'_>) -> bool {
    if !hrtimer::finish(node.timer(), node.deadline()) {
        return true;
    }
    forget(node);
    false
}

/// Takes a node off its list: nothing looks at it or at its timer after this.
#[inline]
pub(crate) fn forget(node: Node<'_>) {
    if let Some(queue) = Queue::lock_of(node) {
        queue.remove(node);
    }
}

/// Takes every node off its list, for good. Owners go on with the timers that they have.
pub(crate) fn close() {
    CLOSED.store(1, Relaxed);
    for cpu in ffi::possible_cpus() {
        Queue::lock(cpu).clear();
    }
}
