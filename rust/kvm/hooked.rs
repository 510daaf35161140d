// SPDX-License-Identifier: GPL-2.0

//! What the hooks do for a timer of a KVM that does not call the module.
//!
//! A hooked timer has a node like any other: the hooks in KVM's start, cancel and callback start, cancel
//! and restart it.
//!
//! ```text
//!   hrtimer_start_range_ns()     replaced    start()           find or take an entry, start its node
//!   hrtimer_cancel()             before it   cancel()          find the entry, cancel its node
//!   hrtimer_try_to_cancel()      replaced    try_to_cancel()
//!   __hrtimer_get_remaining()    replaced    remaining()       deadline - TSC
//!   the callback                 before it   callback()        early: restart the node
//!                                after it    ran()             periodic: the next deadline, restart
//!   kvm_arch_vcpu_destroy()      before it   vcpu_destroyed()  its entries go
//! ```
//!
//! # Vocabulary
//!
//! * **known**: the node's deadline is the one that its timer was last started for. It is not after a
//!   start that was left to KVM, or once the TSC has restarted.
//! * **target**: the expiry that KVM has asked for last, by its own reckoning.

use super::{
    convert::{
        deadline_of,
        ns_until,
        tsc_snapshot, //
    },
    cover,
    periodic,
    unseen, //
};

use crate::{
    clock::snapshot::Snapshot,
    counters,
    ffi::{
        self,
        entries::{
            Entry,
            IrqOff,
            Schedule,
            Vcpu, //
        },
        table,
        Cancel,
        Mode,
        Target,
        Timer, //
    },
    timer::pending,
    units::{
        MonoNs,
        RawNs, //
    }, //
};

/// What happens to a call of a callback.
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// The timer was early and has been restarted: the callback is not called.
    Early,
    /// It goes on, and [`ran()`] is called after it.
    Wrap,
}

/// Starts `timer`, which KVM starts for `plain`; `false` if that is left to KVM.
///
/// Context: `hrtimer_start_range_ns()`'s: any but NMI. Does not sleep, allocate or divide.
pub(crate) fn start(timer: Timer<'_>, plain: MonoNs, mode: Mode) -> bool {
    let irq = IrqOff::new();
    let Some((entry, snapshot)) = startable(&irq, timer, mode) else {
        return leave_to_kvm(&irq, timer);
    };

    set_deadline(entry, timer, &snapshot, plain);
    entry.set_known(true);
    pending::start(entry.node(), mode) || leave_to_kvm(&irq, timer)
}

/// Returns the entry of `timer`, if its start can have a deadline.
#[inline]
fn startable<'a>(irq: &'a IrqOff, timer: Timer<'a>, mode: Mode) -> Option<(Entry<'a>, Snapshot)> {
    let Some(snapshot) = tsc_snapshot() else {
        counters::PLAIN.count();
        return None;
    };
    if mode.is_relative() || !timer.is_monotonic() {
        note_foreign(timer);
        return None;
    }
    let entry = table::find_or_take(irq, timer);
    if entry.is_none() {
        counters::NO_ROOM.count();
    }
    Some((entry?, snapshot))
}

/// Notes that `timer` is relative to now, or on another clock: KVM may have found a way to do without
/// this module.
#[cold]
#[inline(never)]
fn note_foreign(timer: Timer<'_>) {
    counters::WRONG_CLOCK.count();
    if let Some(target) = Target::of(timer) {
        cover::set_foreign(target);
    }
}

/// Sets the deadline of a timer that KVM starts for `plain`.
#[inline]
fn set_deadline(entry: Entry<'_>, timer: Timer<'_>, snapshot: &Snapshot, plain: MonoNs) {
    let node = entry.node();

    // KVM may start the timer again with the expiry that the module has given it
    // (`hrtimer_start_expires()`, as on a vCPU's migration), or for its own target: the deadline is
    // the same.
    if !entry.is_known() {
        unseen::note_start(timer);
    } else if plain == timer.starts_for() || plain == entry.schedule().target {
        return;
    }
    // KVM may start a timer that is pending, whose deadline a pass may be reading.
    pending::cancel(node);
    let deadline = deadline_of(snapshot, plain, ffi::rdtsc());

    node.set_deadline(deadline);
    entry.set_schedule(&Schedule {
        target: plain,
        period: RawNs::new(0),
        since: RawNs::new(0),
        origin: deadline,
    });
}

/// Leaves a start to KVM. Always `false`.
#[cold]
#[inline(never)]
fn leave_to_kvm(irq: &IrqOff, timer: Timer<'_>) -> bool {
    match table::find(irq, timer) {
        Some(entry) => {
            pending::cancel(entry.node());
            entry.set_known(false);
        }
        None => unseen::note_start(timer),
    }
    false
}

/// A start of `timer` is left to KVM.
pub(crate) fn plain(timer: Timer<'_>) {
    leave_to_kvm(&IrqOff::new(), timer);
}

/// Cancels the node of `timer`, which KVM is about to cancel. The entry stays, because KVM may start the
/// timer again with the expiry that it has. Any context but NMI.
#[inline]
pub(crate) fn cancel(timer: Timer<'_>) {
    let irq = IrqOff::new();

    if let Some(entry) = table::find(&irq, timer) {
        pending::cancel(entry.node());
    }
}

/// Cancels `timer` for KVM, unless its callback runs. Any context but NMI.
#[inline]
pub(crate) fn try_to_cancel(timer: Timer<'_>) -> Cancel {
    let irq = IrqOff::new();

    match table::find(&irq, timer) {
        Some(entry) => pending::try_to_cancel(entry.node()),
        None => timer.try_to_cancel(),
    }
}

/// Returns what is left of `timer` in the nanoseconds that KVM counts guest time in, 0 if nothing;
/// `None` if that has to be read from the timer.
pub(crate) fn remaining(timer: Timer<'_>) -> Option<RawNs> {
    let irq = IrqOff::new();
    let entry = table::find(&irq, timer).filter(|entry| entry.is_known())?;
    let _tsc = tsc_snapshot()?;

    Some(ns_until(entry.node().deadline(), ffi::rdtsc()))
}

/// `timer`'s callback is about to run. Context: the callback's.
#[inline]
pub(crate) fn callback(timer: Timer<'_>, target: Target) -> Verdict {
    let irq = IrqOff::new();
    let go_on = if target.may_be_periodic() {
        Verdict::Wrap
    } else {
        Verdict::Pass
    };

    match table::find(&irq, timer) {
        Some(entry) if entry.is_known() && pending::restart(entry.node()) => Verdict::Early,
        Some(_) => go_on,
        // What it returns says whether its start was unseen.
        None => Verdict::Wrap,
    }
}

/// `timer`'s callback has run, and returns `HRTIMER_RESTART` if `restarts`. Context: the callback's.
pub(crate) fn ran(timer: Timer<'_>, restarts: bool) {
    let irq = IrqOff::new();

    match table::find(&irq, timer) {
        // A start on another CPU has queued it meanwhile, for another deadline.
        Some(_) if timer.is_queued() => (),
        Some(entry) if restarts => match tsc_snapshot() {
            Some(snapshot) => periodic::next_period(entry, timer, &snapshot),
            None => entry.set_known(false),
        },
        None if !restarts => unseen::note_callback(timer),
        _ => (),
    }
}

/// The timers of `vcpu` are about to be freed. Any context but NMI.
pub(crate) fn vcpu_destroyed(vcpu: Vcpu) {
    table::retire(vcpu, pending::remove);
}

/// The deadlines of hooked timers mean nothing any more, because the TSC has restarted, or is not the
/// clocksource. Pending timers keep the expiry that they have, as without the module. Context: hard
/// interrupt.
pub(crate) fn tsc_restarted() {
    table::for_each(|entry| {
        entry.set_known(false);
        pending::cancel(entry.node());
    });
}
