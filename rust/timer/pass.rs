// SPDX-License-Identifier: GPL-2.0

//! Re-arming pending timers after the clock has slowed down.
//!
//! # Vocabulary
//!
//! * **pass**: a visit to all queues, after a slow-down of the monotonic clock, which makes pending
//!   timers late. A speed-up needs none: a timer that it makes early is restarted by its own callback.
//! * **late**: a timer whose exact expiry is now before the expiry that it has.
//! * **due**: a node that this pass has not yet compared.
//! * **batch**: as many nodes as are compared in one go, with interrupts off.
//!
//! ```text
//!  listener --> irq_work: each queue --> a timer is late --> call: its CPU --> a batch ------+
//!                  ^  nothing late: no call                            ^                     |
//!                  +--- more(), where one batch was not enough --------+--- after a pause <--+
//! ```

use super::{
    arm,
    occupied::{
        self,
        Visit, //
    },
    uncoupled, //
};

use crate::{
    clock::{
        rate::{
            Change,
            Rate, //
        },
        update::Published, //
    },
    counters,
    ffi::{
        self,
        trace,
        Call,
        Cancel,
        Cpu,
        Queue,
        Word, //
    }, //
};

use kernel::prelude::*;

/// The fastest rate since the last pass, packed, or 0: a pending timer may have been armed at it, and
/// a drift in single units of `mult` adds up against it. Written by the listener alone.
static REFERENCE: Word = Word::new(0);

/// How many nodes are compared in one go, with interrupts off. Beside 4,096 pending timers (`growth.sh`) a
/// thread wakes at most 21 us late with this limit, and 2,250 us without any.
const BATCH: usize = 32;

/// How long a queue is left alone between two batches, in nanoseconds, so that a thread which some of its
/// timers have woken can run. It doubles, up to [`LONGEST_PAUSE`], after each batch that finds the
/// callback of its first node running, because that callback may have been preempted.
const PAUSE: u32 = 20_000;
const LONGEST_PAUSE: u32 = 1_000_000;

/// The queues, and the passes over them. Dropping it waits for the passes that were asked for: by then
/// nobody asks for one any more.
#[must_use = "dropping it waits for passes"]
pub(crate) struct Passes {
    _queues: ffi::Queues,
}

impl Passes {
    /// Makes the queues, which are empty. Nothing is started before this.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            _queues: ffi::Queues::new()?,
        })
    }
}

/// Asks for a pass if a snapshot that was published makes a pending timer late. Called by the listener.
#[inline]
pub(crate) fn rate_published(published: &Published) {
    let is_another_line = published.is_another_line;
    let rate = published.new.timeline.rate;
    let change = match REFERENCE.load() {
        0 => None,
        reference => {
            let reference = Rate::unpack(reference);
            Some((rate.change_from(reference), reference.mult()))
        }
    };

    match change {
        Some((Change::Steady, fastest)) if !is_another_line && rate.mult() <= fastest => return,
        Some((Change::Steady | Change::Faster, _)) if !is_another_line => (),
        _ if ffi::param_rearm() && occupied::is_set() => ffi::pass_queue(),
        _ => (),
    }
    REFERENCE.store_release(rate.pack());
}

/// Visits all queues, and calls the CPUs whose timers are late. Context: hard interrupt, on `this_cpu`.
pub(crate) fn run(this_cpu: Cpu) {
    let visit = Visit::begin(this_cpu);
    let mut found = false;

    counters::PASSES.count();
    for cpu in ffi::possible_cpus() {
        let queue = Queue::lock(cpu);

        if queue.begin_pass() {
            found |= serve(queue, Place::Elsewhere);
        }
    }
    if !found {
        visit.end_empty();
    }
}

/// Serves the queue of `cpu`, which a pass has called. Context: hard interrupt.
pub(crate) fn called(cpu: Cpu) {
    let queue = Queue::lock(cpu);

    queue.answer();
    serve(queue, Place::Here);
}

/// Serves a queue again, after a pause, on `this_cpu`. Context: hard interrupt.
pub(crate) fn more(cpu: Cpu, this_cpu: Cpu) {
    let place = if cpu == this_cpu {
        Place::Here
    } else {
        Place::Elsewhere
    };

    serve(Queue::lock(cpu), place);
}

/// Where a queue is served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the queue's CPU, or in place of it where it is offline. A timer that is started again stays
    /// where it is.
    Here,
    /// On another CPU, which must not start the queue's timers, because they would move.
    Elsewhere,
}

/// What a batch leaves.
enum Left {
    /// No node is due.
    Nothing,
    /// Some are due, and may be late.
    More,
    /// As many as before: the callback of the first one runs.
    Running,
    /// One is late, and its own CPU has to re-arm it.
    Late,
}

/// Serves a batch of a queue, and arranges for the rest. Returns whether any node is on the queue then.
fn serve(queue: Queue, place: Place) -> bool {
    let left = batch(&queue, place);
    let cpu = queue.cpu();
    let is_occupied = !queue.is_empty();
    let pause = match left {
        Left::More => Some(PAUSE),
        Left::Running => Some(queue.pause().saturating_mul(2).clamp(PAUSE, LONGEST_PAUSE)),
        Left::Nothing | Left::Late => None,
    };
    let call = match left {
        // Passes may be under way on several CPUs. A CPU that was called and has not yet begun will
        // serve this node as well.
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
    is_occupied
}

/// Has a CPU serve its queue.
fn make(call: &Call) {
    // The timers of an offline CPU have moved to another one, its queue has not.
    if !ffi::rearm_on(call) {
        called(call.cpu());
    }
}

/// Gives those of some due timers that are late their new expiry.
fn batch(queue: &Queue, place: Place) -> Left {
    for done in 0..BATCH {
        let Some(due) = queue.advance() else {
            return Left::Nothing;
        };
        let Some(moving) = due.claim() else {
            continue;
        };
        let node = moving.node();
        let timer = node.timer();

        if node.is_expired() {
            // While its callback runs, that one may restart the timer.
            if !timer.is_active() {
                moving.remove();
            }
            continue;
        }
        // Without the TSC as clocksource nothing is known of the deadline.
        let (Some(expiry), _) = arm::armed_expiry(node.deadline()) else {
            continue;
        };
        if expiry >= timer.expires() {
            continue;
        }
        if place == Place::Elsewhere {
            moving.postpone();
            return Left::Late;
        }
        match timer.try_to_cancel() {
            Cancel::Dequeued => {
                counters::REARMS.count();
                let expiry = if ffi::clockevent_counts_tsc() {
                    expiry
                } else {
                    uncoupled::start_expiry(node.deadline()).unwrap_or(expiry)
                };
                trace::rearm(timer, node.deadline(), expiry);
                timer.start(expiry, node.mode().pinned());
            }
            Cancel::NotQueued => (),
            // The callback restarts the timer if it is early, but may have read the old rate.
            Cancel::Running => {
                moving.postpone();
                return if done == 0 { Left::Running } else { Left::More };
            }
        }
    }
    Left::More
}
