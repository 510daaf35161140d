// SPDX-License-Identifier: GPL-2.0

//! What a change of rate does to pending timers.
//!
//! # Vocabulary
//!
//! * **node**: a `struct tsc_timer`, which the owner of an hrtimer embeds beside it.
//! * **pending**: on the queue of the CPU that its timer is queued on, and not expired. The hrtimer core
//!   chooses that CPU; it is not the one that has armed the timer where that one is isolated or idle.
//! * **expired**: its callback was told that the deadline is reached, and nothing has started it since.
//!   An expired node stays on its queue, so that the next start, or a periodic callback, finds it there.
//!   A cancel removes it, and so does the next pass once the callback is over. So a callback needs no
//!   lock before it goes to its work.
//! * **due**: pending, and not yet looked at in the pass that is under way.
//! * **pass**: one look at all pending timers, after a slow-down of the monotonic clock. A speed-up
//!   needs none: a timer that it makes early is moved by its own callback.
//!
//! ```text
//!  listener --> irq_work: each queue --> a timer is late --> call: its CPU --> 32 due ones --+
//!                  ^  nothing late: no call                            ^                     |
//!                  +--- more(), where the first look was not enough ---+--- after a pause <--+
//! ```
//!
//! A node is on a queue only between its owner's start and its owner's cancel, and the queue's lock is
//! held whenever one is looked at. Lock order: a queue's, of two the lower CPU's first, then the hrtimer
//! core's.

use crate::{
    clock::{
        pair::{
            pair,
            rate_of, //
        },
        rate::Change,
        snapshot::Snapshot, //
    },
    counters,
    ffi::{
        self,
        Call,
        Cancel,
        Mode,
        Node,
        Queue,
        Two,
        Word, //
    },
    timer::{
        arm,
        occupied::{
            self,
            Look, //
        }, //
    }, //
};

/// No node is put on a queue any more.
static CLOSED: Word = Word::new(0);

/// The fastest rate since the last pass, packed: one that a pending timer may have been armed at, and
/// against which a drift in single units adds up. Written by the listener alone.
static REFERENCE: Word = Word::new(0);

/// The queues, and the way from the listener to them.
pub(crate) struct Rearm(());

impl Rearm {
    /// Empties the queues, and looks at the clockevents. Nothing is armed before this.
    pub(crate) fn new() -> Self {
        ffi::init();
        ffi::clockevent_watch();
        Self(())
    }
}

impl Drop for Rearm {
    /// Waits for a pass that was asked for. The listener is gone, so no further one will be.
    fn drop(&mut self) {
        ffi::pass_flush();
        ffi::clockevent_unwatch();
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

/// Looks at all queues, and sends the CPUs of those timers that are late to move them. Context: hard
/// interrupt, on `this_cpu`.
pub(crate) fn pass(this_cpu: u32) {
    let look = Look::begin(this_cpu);
    let mut found = false;

    counters::PASSES.count();
    for cpu in ffi::possible_cpus() {
        let queue = Queue::lock(cpu);

        if queue.begin_pass() {
            found = true;
            serve(queue, Place::Elsewhere);
        }
    }
    if !found {
        look.ended_empty();
    }
}

/// Begins to look at timers that are due on `cpu`, which was called to do so. Context: hard interrupt.
pub(crate) fn called(cpu: i32) {
    let queue = Queue::lock(cpu);

    queue.answer();
    serve(queue, Place::Here);
}

/// Looks at more of them, after a pause, on `this_cpu`. Context: hard interrupt.
pub(crate) fn more(cpu: i32, this_cpu: i32) {
    let place = if cpu == this_cpu {
        Place::Here
    } else {
        Place::Elsewhere
    };

    serve(Queue::lock(cpu), place);
}

/// Where a queue is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the queue's CPU, or in place of it where that one is offline. A timer that is started again
    /// stays where it is.
    Here,
    /// On another one, which must not start its timers: they would move.
    Elsewhere,
}

/// What a look leaves.
enum Left {
    /// No node is due.
    Nothing,
    /// Some are, and may be late.
    More,
    /// As many as before: the callback of the first one runs.
    Running,
    /// One is late, and is its own CPU's to move.
    Late,
}

/// Looks at some due nodes of a queue, and sees to it that somebody looks at the rest.
fn serve(queue: Queue, place: Place) {
    let left = look(&queue, place);
    let cpu = queue.cpu();
    let pause = match left {
        Left::More => Some(PAUSE),
        Left::Running => Some(queue.pause().saturating_mul(2).clamp(PAUSE, LONGEST_PAUSE)),
        Left::Nothing | Left::Late => None,
    };
    let call = match left {
        // Passes may be under way on several CPUs. A CPU that was called and has not begun to look will
        // see what this one would have it look at.
        Left::Late => queue.call(),
        _ => None,
    };

    queue.set_pause(pause.unwrap_or(0));
    drop(queue);
    if let Some(pause) = pause {
        ffi::rearm_more(cpu, pause);
    }
    if let Some(call) = call {
        make(&call);
    }
}

/// Has a CPU look at its due timers.
fn make(call: &Call) {
    // An offline CPU's timers have moved to another one, its queue has not.
    if !ffi::rearm_on(call) {
        called(call.cpu());
    }
}

/// How many timers are looked at in one go, with interrupts off.
const BATCH: usize = 32;

/// How long a queue is left alone between two looks, in nanoseconds, so that a thread which some of its
/// timers have woken can run. Twice as long after each look that finds the callback of its first node
/// running, because that may be preempted, up to [`LONGEST_PAUSE`].
const PAUSE: u32 = 20_000;
const LONGEST_PAUSE: u32 = 1_000_000;

/// Gives some of the due timers that would be late their new expiry.
fn look(queue: &Queue, place: Place) -> Left {
    for done in 0..BATCH {
        let Some(node) = queue.advance() else {
            return Left::Nothing;
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
        let Some(expiry) = arm::armed_expiry(node.deadline()) else {
            continue;
        };
        if expiry >= timer.expires() {
            continue;
        }
        if place == Place::Elsewhere {
            queue.postpone(node);
            return Left::Late;
        }
        match timer.try_to_cancel() {
            Cancel::Dequeued => {
                counters::REARMS.count();
                timer.start(expiry, node.mode().pinned());
            }
            Cancel::NotQueued => (),
            // It moves the timer itself if it is early, but it may have read the old rate.
            Cancel::Running => {
                queue.postpone(node);
                return if done == 0 { Left::Running } else { Left::More };
            }
        }
    }
    Left::More
}

/// Arms a node's timer and keeps it in view. Returns `false`, having done nothing, where its
/// deadline has no expiry.
pub(crate) fn start(node: Node<'_>, mode: Mode) -> bool {
    let timer = node.timer();
    let mode = mode.absolute();

    counters::STARTS.count();

    // With the lock held from before the rate is read until the timer is queued, a pass that this rate
    // does not know about comes after, and finds the timer.
    let (queue, is_there) = lock_to_start(node);
    if !is_there {
        // Not where it is on a queue: a pass that moves it to another CPU takes it off its clock for a
        // moment.
        if !timer.is_monotonic() {
            drop(queue);
            counters::WRONG_CLOCK.count();
            ffi::warn_clock();
            return false;
        }
        occupied::announce();
    }
    let Some(expiry) = arm::armed_expiry(node.deadline()) else {
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
    let from = queue.cpu();
    let to = queue.unlock_and_locate(timer);
    if to != from {
        follow(node, from, to);
    }
    true
}

/// Takes the lock of the queue that `node` is on, or else of that where its timer was last, which most
/// starts leave it. Returns also whether it is on that one.
#[inline]
fn lock_to_start(node: Node<'_>) -> (Queue, bool) {
    match Queue::lock_of(node) {
        Some(queue) => (queue, true),
        None => (Queue::lock_where(node.timer()), false),
    }
}

/// Takes a node that was just started from the queue of the CPU `from` to that of `to`, where its timer has
/// gone. Apart, because most timers stay.
///
/// With both locks, so that the node is always on a queue: its callback, which may run by now, needs one
/// of them to read the rate.
#[cold]
#[inline(never)]
fn follow(node: Node<'_>, from: i32, to: i32) {
    let queues = Two::lock(from, to);
    // A pass has removed the node as expired; or the module goes, and is about to remove it.
    if !queues.has(node) || CLOSED.load() != 0 {
        return;
    }
    queues.transfer(node);

    // A pass that has been at `to` already and comes to `from` only now does not find the node: it must
    // not say that all queues are empty, and the rate that it is about was published before.
    occupied::announce();
    match arm::armed_expiry(node.deadline()) {
        Some(expiry) if expiry < node.timer().expires() => ffi::pass_queue(),
        _ => (),
    }
}

/// In the callback: `true` if it ran early and its timer has been moved to the exact expiry. Also once
/// it has done its work and has another deadline.
#[inline]
pub(crate) fn restart(node: Node<'_>) -> bool {
    if arm::is_reached(node.deadline()) {
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
    // A start on another CPU has queued the timer since, for another deadline: not the callback's to move.
    if node.timer().is_queued() {
        return true;
    }
    // One that had expired has another deadline since: its next period.
    let what = if node.is_expired() {
        counters::STARTS
    } else {
        counters::RESTARTS
    };
    let moved = arm::move_on(node.timer(), node.deadline(), what);

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
