// SPDX-License-Identifier: GPL-2.0

//! What the hooks do for a timer of a KVM that does not call the module.
//!
//! A hooked timer is a node like any other: KVM's start, cancel and callback come by here, and start,
//! cancel and restart the node. KVM has turned a guest timer's cycles into nanoseconds and these into an
//! expiry; a start takes both back, by the clock and the frequency that KVM used.
//!
//! # Vocabulary
//!
//! * **known**: the node's deadline is what its timer was last armed for. It is not after a start that
//!   was left to KVM, or once the deadline means nothing because the TSC has restarted.
//! * **target**: the expiry that KVM has asked for, by its own reckoning, last.
//! * **unseen**: a callback of a timer that was started where no hook is.

use crate::{
    clock::{
        frequency::Frequency,
        rate::{
            Cycles,
            MonoNs,
            RawNs, //
        },
        snapshot::{
            Snapshot,
            CURRENT, //
        }, //
    },
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
        Timer,
        Word, //
    },
    kvm::cover,
    timer::pending, //
};

/// What is to become of a call of a callback.
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// The timer was early and has been moved: the callback is not called.
    Early,
    /// It goes on, and [`ran()`] is called after it.
    Wrap,
}

/// The frequency that KVM converts by. Written before the hooks are placed.
static CYCLES_PER_NS: Word = Word::new(0);
static NS_PER_CYCLE: Word = Word::new(0);

/// Sets the frequency that KVM converts by.
pub(crate) fn set_frequency(frequency: Frequency) {
    CYCLES_PER_NS.store_release(frequency.cycles_per_ns);
    NS_PER_CYCLE.store_release(frequency.ns_per_cycle);
}

#[inline]
fn frequency() -> Frequency {
    Frequency {
        cycles_per_ns: CYCLES_PER_NS.load(),
        ns_per_cycle: NS_PER_CYCLE.load(),
    }
}

/// Returns the snapshot, if it is the TSC that the clock follows.
#[inline]
fn snapshot() -> Option<Snapshot> {
    let (snapshot, _) = CURRENT.read()?;

    snapshot.tsc.then_some(snapshot)
}

/// Returns the deadline for which KVM, whose clock reads what `snapshot` says at `now`, wants `expiry`.
#[inline]
fn deadline_of(snapshot: &Snapshot, expiry: MonoNs, now: Cycles) -> Cycles {
    let ns = expiry
        .get()
        .saturating_sub(snapshot.timeline.mono(now).get());

    // Due already.
    if ns <= 0 {
        return now;
    }
    after(now, RawNs::new(ns))
}

/// Returns the TSC value that KVM takes to be so many nanoseconds, not negative, after `from`.
#[inline]
fn after(from: Cycles, ns: RawNs) -> Cycles {
    let cycles = frequency().cycles(ns.get().unsigned_abs());

    Cycles::new(from.get().saturating_add(cycles.get()))
}

/// Starts `timer`, which KVM starts for `plain`; `false` if that is left to KVM.
///
/// Context: `hrtimer_start_range_ns()`'s: any but NMI. Does not sleep, allocate or divide.
pub(crate) fn start(timer: Timer<'_>, plain: MonoNs, mode: Mode) -> bool {
    let irq = IrqOff::new();
    let entry = match startable(&irq, timer, mode) {
        Some((entry, snapshot)) => {
            set_deadline(entry, timer, &snapshot, plain);
            entry
        }
        None => return left(&irq, timer),
    };

    entry.set_known(true);
    pending::start(entry.node(), mode) || left(&irq, timer)
}

/// Returns the entry of `timer`, where a start has a deadline to be started for.
#[inline]
fn startable<'a>(irq: &'a IrqOff, timer: Timer<'a>, mode: Mode) -> Option<(Entry<'a>, Snapshot)> {
    let Some(snapshot) = snapshot() else {
        counters::PLAIN.count();
        return None;
    };
    if mode.is_relative() || !timer.is_monotonic() {
        foreign(timer);
        return None;
    }
    let entry = table::find_or_take(irq, timer);
    if entry.is_none() {
        counters::NO_ROOM.count();
    }
    Some((entry?, snapshot))
}

/// `timer` is relative to now, or on another clock: KVM may have found a way to do without this module.
#[cold]
#[inline(never)]
fn foreign(timer: Timer<'_>) {
    counters::WRONG_CLOCK.count();
    if let Some(target) = Target::of(timer) {
        cover::set_foreign(target);
    }
}

/// Sets the deadline of a timer that KVM starts for `plain`.
#[inline]
fn set_deadline(entry: Entry<'_>, timer: Timer<'_>, snapshot: &Snapshot, plain: MonoNs) {
    let node = entry.node();

    // Started again with the expiry that the module has given it (`hrtimer_start_expires()`, as on a
    // vCPU's migration), or for KVM's own target: the deadline is what it was.
    if !entry.is_known() {
        seen(timer);
    } else if plain == timer.expires() || plain == entry.schedule().target {
        return;
    }
    // KVM may start a timer that is pending, whose deadline a pass may be reading.
    if !node.is_expired() {
        pending::forget(node);
    }
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
fn left(irq: &IrqOff, timer: Timer<'_>) -> bool {
    match table::find(irq, timer) {
        Some(entry) => {
            pending::forget(entry.node());
            entry.set_known(false);
        }
        None => seen(timer),
    }
    false
}

/// A start of `timer` is left to KVM.
pub(crate) fn plain(timer: Timer<'_>) {
    left(&IrqOff::new(), timer);
}

/// Forgets `timer`, which KVM is about to cancel. Its entry stays: KVM may start the timer again with
/// the expiry that it has. Any context but NMI.
#[inline]
pub(crate) fn cancel(timer: Timer<'_>) {
    let irq = IrqOff::new();

    if let Some(entry) = table::find(&irq, timer) {
        pending::forget(entry.node());
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
    let _tsc = snapshot()?;
    let left = entry
        .node()
        .deadline()
        .get()
        .saturating_sub(ffi::rdtsc().get());

    // CAST: `ns()` returns at most `i64::MAX`.
    Some(RawNs::new(frequency().ns(Cycles::new(left)) as i64))
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
        // Whether it is to be counted as unseen its return value says.
        None => Verdict::Wrap,
    }
}

/// `timer`'s callback has run, and returns `HRTIMER_RESTART` if `restarts`. Context: the callback's.
pub(crate) fn ran(timer: Timer<'_>, restarts: bool) {
    let irq = IrqOff::new();

    match table::find(&irq, timer) {
        // A start on another CPU has queued it meanwhile, for another deadline.
        Some(_) if timer.is_queued() => (),
        Some(entry) if restarts => match snapshot() {
            Some(snapshot) => next_period(entry, timer, &snapshot),
            None => entry.set_known(false),
        },
        None if !restarts => unseen(timer),
        _ => (),
    }
}

/// Gives `timer`, for which KVM has set the expiry of its next period, the one that its deadline has.
///
/// KVM counts periods by the monotonic clock, from the target before. Where the clock is fast that falls
/// behind, and KVM takes the present for its next target: the step then says nothing of the period.
fn next_period(entry: Entry<'_>, timer: Timer<'_>, snapshot: &Snapshot) {
    let node = entry.node();
    let now = ffi::rdtsc();
    let target = timer.expires();
    let mut schedule = entry.schedule();
    let step = target.get().saturating_sub(schedule.target.get());

    if entry.is_known() && target > snapshot.timeline.mono(now) {
        schedule.period = RawNs::new(step);
    }
    let since = RawNs::new(schedule.since.get().saturating_add(schedule.period.get()));
    let deadline = if entry.is_known() {
        after(schedule.origin, since)
    } else {
        // Started before the module came.
        deadline_of(snapshot, target, now)
    };
    schedule.target = target;
    if entry.is_known() && deadline > now {
        schedule.since = since;
        node.set_deadline(deadline);
    } else {
        // Late by a whole period: the next one is due now, as KVM has it, and the others count from it.
        schedule.since = RawNs::new(0);
        schedule.origin = deadline.max(now);
        node.set_deadline(schedule.origin);
    }
    entry.set_schedule(&schedule);
    entry.set_known(true);

    // The node keeps its place on a queue, if KVM has not cancelled the timer meanwhile.
    if !pending::restart(node) {
        timer.set_expires(snapshot.timeline.mono(now));
    }
}

/// The timers of `vcpu` are about to be freed. Any context but NMI.
pub(crate) fn vcpu_gone(vcpu: Vcpu) {
    table::retire(vcpu, pending::forget);
}

/// The deadlines of hooked timers mean nothing any more: the TSC counts anew, or is not what the clock
/// follows. What is pending keeps the expiry that it has, as without the module. Context: hard
/// interrupt.
pub(crate) fn forget_all() {
    table::for_each(|entry| {
        entry.set_known(false);
        pending::forget(entry.node());
    });
}

/// How many callbacks in a row without a start are one too many.
///
/// A timer that was pending when the module was loaded, or when its vCPU's entries were retired, comes
/// twice at most: its callback may run, and the timer be queued again, at that moment. Any later start
/// is one that a hook sees.
const TOO_MANY: u64 = 3;

/// Timers whose callback came without a start, by a hash of the address: the address, and in its low bits
/// how often in a row. One overwrites another.
static UNSEEN: [Word; 64] = [const { Word::new(0) }; 64];

/// `timer`'s callback has come, and no start of it had. If the same timer comes so `TOO_MANY` times, then
/// KVM starts its timers by a function that is not hooked.
#[cold]
#[inline(never)]
fn unseen(timer: Timer<'_>) {
    let last = last_unseen(timer);
    let times = times_unseen(last, timer).wrapping_add(1);

    counters::UNSEEN.count();
    if times >= TOO_MANY {
        if let Some(target) = Target::of(timer) {
            cover::set_blind(target);
        }
    }
    last.store_release(address_of(timer) | times.min(TOO_MANY));
}

/// A hook has seen `timer`'s start, and `timer` had no deadline before.
#[cold]
#[inline(never)]
fn seen(timer: Timer<'_>) {
    let last = last_unseen(timer);

    if times_unseen(last, timer) != 0 {
        last.store_release(0);
    }
}

/// Returns how often in a row `last` has counted `timer`.
fn times_unseen(last: &Word, timer: Timer<'_>) -> u64 {
    // A timer's address is a multiple of 8.
    match last.load() ^ address_of(timer) {
        times @ 1..=TOO_MANY => times,
        _ => 0,
    }
}

/// Returns the word that counts `timer`.
fn last_unseen(timer: Timer<'_>) -> &'static Word {
    // CAST: The remainder is an index of the array.
    &UNSEEN[(address_of(timer) >> 6) as usize % UNSEEN.len()]
}

fn address_of(timer: Timer<'_>) -> u64 {
    // CAST: An address has 64 bits.
    timer.address() as u64
}
