// SPDX-License-Identifier: GPL-2.0

//! Starting, restarting and cancelling timers that are armed anew when the clock slows down.
//!
//! # Vocabulary
//!
//! * **node**: a `struct tsc_timer`, which the owner of an hrtimer embeds beside it.
//! * **queue**: a CPU's list of nodes. A node is put on the queue of the CPU that its timer is queued on,
//!   which the hrtimer core chooses; it is not the one that has started the timer where that one is
//!   isolated or idle. The node stays there, whatever becomes of its timer, until a start finds the
//!   timer on another CPU, a pass finds the node idle or expired, or the owner removes it.
//! * **expired**: its callback has found the deadline reached, and nothing has started it since.
//!
//! ```text
//!             start                  a pass: the timer is late
//!    idle  ------------->  pending  --------------------------->  moving
//!    ^  ^                  |     ^                                 |
//!    |  +------------------+     +---------------------------------+
//!    |      cancel                an earlier expiry; a cancel waits
//!    v
//!   away     a start puts the node on a queue; a pass, or the owner, takes it off
//! ```
//!
//! Start and cancel change the state by one exchange each and take no lock. A pass has the queue's lock,
//! and reads and moves a timer only after it has made its node *moving*; so nothing but its callback
//! touches a timer between its owner's cancel and the next start.
//!
//! A start reads the rate before its node is pending, and a pass for a newer rate may be over by then. So
//! a start compares the rate's generation once more after the exchange, which is a full barrier: the pass
//! finds the node pending, or the start finds the generation changed, and asks for another pass. A
//! callback that restarts its timer does the same.
//!
//! Lock order: a queue's, of two the lower CPU's first, then the hrtimer core's. Nobody who has one waits
//! for a node that is moving.

use super::{
    arm,
    occupied, //
};

use crate::{
    clock::snapshot,
    counters,
    ffi::{
        self,
        trace,
        Cancel,
        Locked,
        Mode,
        Node,
        Queue,
        State,
        Two,
        Word, //
    }, //
};

/// No node is put on a queue any more.
static CLOSED: Word = Word::new(0);

/// Starts a node's timer. Returns `false`, having done nothing but cancelled the node, where the deadline
/// has no expiry.
///
/// Context: the owner's, any but NMI. Until this has returned, the timer does not keep up with the clock.
#[inline(always)]
pub(crate) fn start(node: Node<'_>, mode: Mode) -> bool {
    let mode = arm::absolute(mode);

    counters::STARTS.count();
    if node.state() != State::IDLE && !prepare(node) {
        return false;
    }
    let (Some(expiry), generation) = arm::start_expiry(node.deadline()) else {
        return false;
    };
    node.set_mode(mode);
    node.set_expired(false);
    trace::arm_node(node, expiry, mode);
    // Before the node is pending, so that a pass which moves its timer finds both on one CPU.
    if node.base() != node.timer().base() {
        enqueue(node);
    }
    // A pass has found the node idle, and has taken it off, or the module is being removed.
    if node.exchange(State::PENDING) != State::IDLE {
        enqueue(node);
    }
    if snapshot::generation() != generation && !catch_up(node) {
        cancel(node);
    }
    true
}

/// Has a node that is not idle, but pending or on no queue, ready to be started; `false` if its timer has
/// another clock. Apart, because most starts come after a cancel.
#[cold]
#[inline(never)]
fn prepare(node: Node<'_>) -> bool {
    cancel(node);
    if node.timer().is_monotonic() {
        return true;
    }
    counters::WRONG_CLOCK.count();
    ffi::warn_clock();
    false
}

/// Puts a node that is being started on the queue of the CPU that its timer is queued on. Apart, because
/// most nodes are there.
#[cold]
#[inline(never)]
fn enqueue(node: Node<'_>) {
    let to = node.timer().cpu();

    while let Some(from) = node.queue().filter(|from| *from != to) {
        let queues = Two::lock(from, to);
        // All queues are being emptied, and `to` may be already.
        if CLOSED.load() != 0 {
            return;
        }
        // Else a pass has taken the node off.
        if queues.transfer(node) {
            occupied::set();
            return;
        }
    }
    let mut locked = Locked::to_start(node, to);
    if CLOSED.load() != 0 {
        locked.remove();
        return;
    }
    locked.add();
    // With the lock held: a pass that has been here already must not mark the queues as empty.
    occupied::set();
}

/// Asks for a pass if the timer of a node is late; `false` if the clocksource is not the TSC any more. Apart,
/// because few starts meet another rate.
#[cold]
#[inline(never)]
fn catch_up(node: Node<'_>) -> bool {
    let (Some(expiry), _) = arm::armed_expiry(node.deadline()) else {
        return false;
    };
    if expiry < node.timer().expires() {
        ffi::pass_queue();
    }
    true
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
    let generation = snapshot::generation();
    let restarted = arm::set_next_expiry(node.timer(), node.deadline(), what);

    node.set_expired(!restarted);
    // A pass for a newer rate has compared the new expiry, or this finds another generation.
    ffi::smp_mb();
    if restarted && snapshot::generation() != generation {
        catch_up(node);
    }
    restarted
}

/// Cancels a node: after this nothing but its own callback touches its timer, until the next start.
/// Returns whether it was pending.
#[inline(always)]
pub(crate) fn cancel(node: Node<'_>) -> bool {
    match node.compare_exchange(State::PENDING, State::IDLE) {
        State::MOVING => wait(node),
        found => found == State::PENDING,
    }
}

/// Waits for a pass, which has interrupts off, and cancels the node.
#[cold]
#[inline(never)]
fn wait(node: Node<'_>) -> bool {
    loop {
        ffi::cpu_relax();
        match node.compare_exchange(State::PENDING, State::IDLE) {
            State::MOVING => (),
            found => return found == State::PENDING,
        }
    }
}

/// Cancels a node and takes it off its queue: after this nothing but its own callback touches it or its
/// timer. Any context but NMI.
pub(crate) fn remove(node: Node<'_>) {
    cancel(node);
    if let Some(locked) = Locked::queued(node) {
        locked.remove();
    }
}

/// Cancels a node's timer unless its callback runs. Then the node stays pending, because the callback may
/// be early and restart the timer.
pub(crate) fn try_to_cancel(node: Node<'_>) -> Cancel {
    let was_pending = cancel(node);
    let done = node.timer().try_to_cancel();

    if was_pending && done == Cancel::Running {
        if node.exchange(State::PENDING) != State::IDLE {
            enqueue(node);
        }
        catch_up(node);
    }
    done
}

/// Takes all nodes off their queues, for good. Owners go on with the timers that they have.
pub(crate) fn close() {
    CLOSED.store_release(1);
    for cpu in ffi::possible_cpus() {
        Queue::lock(cpu).clear();
    }
}
