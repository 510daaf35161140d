// SPDX-License-Identifier: GPL-2.0

//! What a change of rate does to pending timers.
//!
//! # Vocabulary
//!
//! * **node**: a `struct tsc_timer`, which the owner of an hrtimer embeds beside it.
//! * **pending**: on the queue of the CPU that armed it, and not expired.
//! * **expired**: its callback was told that the deadline is reached, and nothing has started it since.
//!   It stays on its queue, where a start on the same CPU wants it, or its callback, which may have
//!   another deadline for it; and leaves it with the next cancel, start elsewhere, or pass after the
//!   callback. So a callback needs no lock before it goes to its work.
//! * **due**: pending, and not yet looked at in the pass that is under way.
//! * **pass**: one look at all pending timers, after a slow-down of the monotonic clock. A speed-up
//!   needs none: a timer that it makes early is moved by its own callback.
//!
//! A node is on a queue only between its owner's start and its owner's cancel, and the queue's lock is
//! held whenever one is looked at. Lock order: a queue's, then the hrtimer core's.

use crate::{
    ffi::{
        self,
        Call,
        Cancel,
        Mode,
        Node,
        Queue,
        Word, //
    },
    hrtimer,
    occupied::{
        self,
        Look, //
    },
    pair::{
        pair,
        rate_of, //
    },
    rate::Change,
    snapshot::Snapshot,
    stats, //
};

/// No node is put on a queue any more.
static CLOSED: Word = Word::new(0);

/// The fastest rate since the last pass, packed: one that a pending timer may have been armed at, and
/// against which a drift in single units adds up. Written by the listener alone.
static REFERENCE: Word = Word::new(0);

/// The queues, and the way from the listener to them.
pub(crate) struct Rearm(());

impl Rearm {
    /// Empties the queues. Nothing is armed before this.
    pub(crate) fn new() -> Self {
        ffi::init();
        Self(())
    }
}

impl Drop for Rearm {
    /// Waits for a pass that was asked for. The listener is gone, so no further one will be.
    fn drop(&mut self) {
        ffi::pass_flush();
    }
}

/// Asks for a pass if `new`, which is published, makes a pending timer late. Called by the listener.
#[inline]
pub(crate) fn notice(new: &Snapshot, stepped: bool) {
    let rate = new.top;
    let reference = rate_of(REFERENCE.load());
    let change = reference.map(|reference| (rate.change_from(reference), reference.mult()));

    match change {
        Some((Change::Steady, fastest)) if !stepped && rate.mult() <= fastest => return,
        Some((Change::Steady | Change::Faster, _)) if !stepped => (),
        _ if ffi::param_rearm() && occupied::is_occupied() => ffi::pass_queue(),
        _ => (),
    }
    REFERENCE.store_release(pair(rate.mult(), rate.shift()));
}

/// Sends each CPU with pending timers to look at them. Context: hard interrupt, on `this_cpu`.
pub(crate) fn pass(this_cpu: u32) {
    let look = Look::begin(this_cpu);
    let mut found = false;

    stats::PASSES.count();
    for cpu in ffi::possible_cpus() {
        let queue = Queue::lock(cpu);

        if !queue.begin_pass() {
            continue;
        }
        found = true;
        // Passes may be under way on several CPUs. One that was called and has not begun to look will
        // see what this pass would have it look at.
        let call = queue.call();

        drop(queue);
        if let Some(call) = call {
            make(&call);
        }
    }
    if !found {
        look.ended_empty();
    }
}

/// Has a CPU look at its due timers.
fn make(call: &Call) {
    // An offline CPU's timers have moved to another one, its queue has not.
    if !ffi::rearm_on(call) {
        called(call.cpu());
    }
}

/// Begins to look at timers that are due on `cpu`, which was called to do so. Context: hard interrupt.
pub(crate) fn called(cpu: i32) {
    let queue = Queue::lock(cpu);

    queue.answer();
    rearm(queue, cpu);
}

/// Looks at more of them, after a pause; on `cpu`, unless it went offline meanwhile. Context: hard
/// interrupt.
pub(crate) fn more(cpu: i32) {
    rearm(Queue::lock(cpu), cpu);
}

/// Looks at timers that are due on `cpu`, and comes back for more after a pause.
fn rearm(queue: Queue, cpu: i32) {
    let more = rearm_some(&queue);

    drop(queue);
    if more {
        ffi::rearm_more(cpu);
    }
}

/// How many timers are looked at in one go, with interrupts off.
const BATCH: usize = 32;

/// Gives some of the due timers that would be late their new expiry; `false` if no other is due.
fn rearm_some(queue: &Queue) -> bool {
    for _ in 0..BATCH {
        let Some(node) = queue.advance() else {
            return false;
        };
        let timer = node.timer();

        if node.is_expired() {
            // Else its callback runs, and may want it.
            if !timer.is_active() {
                queue.remove(node);
            }
            continue;
        }
        // Not the TSC any more: nothing is known of where the deadline is.
        let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
            continue;
        };
        if expiry >= timer.expires() {
            continue;
        }
        match timer.try_to_cancel() {
            Cancel::Dequeued => {
                stats::REARMS.count();
                timer.start(expiry, node.mode());
            }
            Cancel::NotQueued => (),
            // It moves the timer itself if it is early, but it may have read the old rate.
            Cancel::Running => {
                queue.postpone(node);
                return true;
            }
        }
    }
    true
}

/// Arms a node's timer and keeps it in view. Returns `false`, having done nothing, where its
/// deadline has no expiry.
pub(crate) fn start(node: Node<'_>, mode: Mode) -> bool {
    let timer = node.timer();
    let mode = mode.absolute();

    stats::STARTS.count();

    // With interrupts off from before the rate is read until the timer is queued, a pass that this
    // rate does not know about comes after, and finds the timer.
    let (queue, is_there) = lock_to_start(node);
    if !is_there {
        // Not where it is on a queue: a pass that moves it to another CPU takes it off its clock for a
        // moment.
        if !timer.is_monotonic() {
            drop(queue);
            stats::WRONG_CLOCK.count();
            ffi::warn_clock();
            return false;
        }
        occupied::announce();
    }
    let Some(expiry) = hrtimer::armed_expiry(node.deadline()) else {
        if is_there {
            queue.remove(node);
        }
        return false;
    };
    node.set_mode(mode);
    node.set_expired(false);
    if !is_there && CLOSED.load() == 0 {
        queue.add(node);
    }
    timer.start(expiry, mode);
    true
}

/// Takes the lock of this CPU's queue, and `node` off another CPU's. Returns also whether it is on
/// this one.
#[inline]
fn lock_to_start(node: Node<'_>) -> (Queue, bool) {
    let queue = Queue::lock_local();
    let is_there = queue.has(node);

    if is_there || !node.is_on_a_queue() {
        return (queue, is_there);
    }
    (fetch(queue, node), false)
}

/// Takes `node` off another CPU's queue than `queue`, and the lock of this CPU's again. Apart, because
/// most starts are where the last one was.
#[cold]
#[inline(never)]
fn fetch(queue: Queue, node: Node<'_>) -> Queue {
    drop(queue);
    forget(node);
    Queue::lock_local()
}

/// In the callback: `true` if it ran early and its timer has been moved to the exact expiry. Also once
/// it has done its work and has another deadline.
#[inline]
pub(crate) fn restart(node: Node<'_>) -> bool {
    if hrtimer::is_reached(node.deadline()) {
        node.set_expired(true);
        return false;
    }
    restart_early(node)
}

/// The same for a deadline that is still to come, or was when it was looked at. Apart from
/// [`restart()`], which most callbacks are through with before anything of this is set up.
#[cold]
#[inline(never)]
fn restart_early(node: Node<'_>) -> bool {
    // With the lock held from before the rate is read until the timer has its new expiry, a pass that
    // this rate does not know about comes after, and does not compare with the old one.
    let queue = Queue::lock_of(node);
    // One that had expired has another deadline since: its next period.
    let what = if node.is_expired() {
        stats::STARTS
    } else {
        stats::RESTARTS
    };
    let moved = hrtimer::move_on(node.timer(), node.deadline(), what);

    node.set_expired(!moved);
    drop(queue);
    moved
}

/// Takes a node off its queue: nothing looks at it or at its timer after this.
#[inline]
pub(crate) fn forget(node: Node<'_>) {
    if let Some(queue) = Queue::lock_of(node) {
        queue.remove(node);
    }
}

/// Cancels a node's timer unless its callback runs, and takes the node off its queue if that is done.
/// A node whose callback runs stays in view: the callback may be early and move the timer.
pub(crate) fn try_to_cancel(node: Node<'_>) -> Cancel {
    let queue = Queue::lock_of(node);
    let done = node.timer().try_to_cancel();

    if let Some(queue) = queue.filter(|_| done != Cancel::Running) {
        queue.remove(node);
    }
    done
}

/// Takes every node off its queue, for good. Owners go on with the timers that they have.
pub(crate) fn close() {
    CLOSED.store_release(1);
    for cpu in ffi::possible_cpus() {
        Queue::lock(cpu).clear();
    }
}
