// SPDX-License-Identifier: GPL-2.0

//! Starting, restarting and cancelling timers that are armed anew when the clock slows down.
//!
//! # Vocabulary
//!
//! * **node**: a `struct tsc_timer`, which the owner of an hrtimer embeds beside it.
//! * **pending**: on the queue of the CPU that its timer is queued on, and not expired. The hrtimer core
//!   chooses that CPU; it is not the one that has started the timer where that one is isolated or idle.
//! * **expired**: its callback has found the deadline reached, and nothing has started it since.
//!
//! An expired node stays on its queue, so that a callback takes no lock before it goes to its work. A
//! start on this CPU, or a periodic callback, reuses it there; a cancel, a start on another CPU, or the
//! next pass removes it.
//!
//! ```text
//!            start                  slow-down: a pass
//!   idle -----------> pending -----------------------> pending, with an earlier expiry
//!    ^  cancel         |   ^
//!    |                 |   | start, or the callback of a periodic timer: restart
//!    | cancel, pass    v   |
//!    +--------------- expired     callback at the deadline
//! ```
//!
//! A node is on a queue only between its owner's start and its owner's cancel, and the queue's lock is
//! held whenever a node is read there. Lock order: a queue's, of two the lower CPU's first, then the
//! hrtimer core's.

use super::{
    arm,
    occupied, //
};

use crate::{
    counters,
    ffi::{
        self,
        trace,
        Cancel,
        Cpu,
        Locked,
        Mode,
        Node,
        Queue,
        Two,
        Word, //
    }, //
};

/// No node is put on a queue any more.
static CLOSED: Word = Word::new(0);

/// Starts a node's timer and queues the node. Returns `false`, having done nothing, where the deadline
/// has no expiry.
pub(crate) fn start(node: Node<'_>, mode: Mode) -> bool {
    let timer = node.timer();
    let mode = arm::absolute(mode);

    counters::STARTS.count();

    // The lock is held from before the rate is read until the timer is queued. So a pass for a rate
    // that is not read here comes after, and finds the timer.
    let mut locked = Locked::to_start(node);
    if !locked.is_queued() {
        // Only here, because a timer that a pass moves to another CPU has no clock for a moment.
        if !timer.is_monotonic() {
            drop(locked);
            counters::WRONG_CLOCK.count();
            ffi::warn_clock();
            return false;
        }
        occupied::set();
    }
    let Some(expiry) = arm::armed_expiry(node.deadline()) else {
        locked.remove();
        return false;
    };
    node.set_mode(mode);
    node.set_expired(false);
    if CLOSED.load() == 0 {
        locked.add();
    }
    trace::start_node(node, expiry);
    timer.start(expiry, mode);
    let from = locked.cpu();
    let to = locked.unlock_and_locate();
    if to != from {
        migrate(node, from, to);
    }
    true
}

/// Moves a node that was just started from the queue of the CPU `from` to the queue of `to`, which the
/// hrtimer core has chosen for its timer. Apart, because most timers stay.
///
/// It holds both locks, so that the node is always on a queue: its callback, which may run by now, takes
/// one of them to read the rate.
#[cold]
#[inline(never)]
fn migrate(node: Node<'_>, from: Cpu, to: Cpu) {
    let queues = Two::lock(from, to);
    // The module is being removed; or a pass has removed the node because it had expired.
    if CLOSED.load() != 0 || !queues.transfer(node) {
        return;
    }

    // A pass that has been at `to` already and comes to `from` only now does not find the node. It must
    // not mark the queues as empty, and the rate that it is about was published before this.
    occupied::set();
    match arm::armed_expiry(node.deadline()) {
        Some(expiry) if expiry < node.timer().expires() => ffi::pass_queue(),
        _ => (),
    }
}

/// In the callback: if the deadline is still to come, sets the next expiry and returns `true`. Also once
/// the callback of a periodic timer has set the next deadline.
#[inline]
pub(crate) fn restart(node: Node<'_>) -> bool {
    let now = ffi::rdtsc();

    if now >= node.deadline() {
        node.set_expired(true);
        trace::expire_node(node, now);
        return false;
    }
    restart_early(node)
}

/// Restarts a timer whose deadline this CPU's TSC has not reached. Apart from [`restart()`], because most
/// callbacks do not come here.
#[cold]
#[inline(never)]
fn restart_early(node: Node<'_>) -> bool {
    // The lock is held from before the rate is read until the timer has its new expiry. So a pass for a
    // rate that is not read here comes after, and does not compare with the old expiry.
    let locked = Locked::queued(node);
    // A start on another CPU has queued the timer since, for another deadline, and owns its expiry.
    if node.timer().is_queued() {
        return true;
    }
    // An expired node has another deadline since: its next period.
    let what = if node.is_expired() {
        counters::STARTS
    } else {
        counters::RESTARTS
    };
    let restarted = arm::set_next_expiry(node.timer(), node.deadline(), what);

    node.set_expired(!restarted);
    drop(locked);
    restarted
}

/// Removes a node from its queue: after this nothing but its own callback touches it or its timer.
#[inline]
pub(crate) fn cancel(node: Node<'_>) {
    if let Some(locked) = Locked::queued(node) {
        locked.remove();
    }
}

/// Cancels a node's timer unless its callback runs. Then the node stays queued, because the callback may
/// be early and restart the timer.
pub(crate) fn try_to_cancel(node: Node<'_>) -> Cancel {
    let locked = Locked::queued(node);
    let done = node.timer().try_to_cancel();

    if let Some(locked) = locked.filter(|_| done != Cancel::Running) {
        locked.remove();
    }
    done
}

/// Removes all nodes from their queues, for good. Owners go on with the timers that they have.
pub(crate) fn close() {
    CLOSED.store_release(1);
    for cpu in ffi::possible_cpus() {
        Queue::lock(cpu).clear();
    }
}
