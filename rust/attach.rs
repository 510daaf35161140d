// SPDX-License-Identifier: GPL-2.0

//! A KVM that nobody patched: its timers are met in the arming function and in their callbacks.
//!
//! KVM has turned a guest timer's cycles into nanoseconds and these into a monotonic expiry. The hook
//! in `hrtimer_start_range_ns()` takes both back, by the clock and the frequency that KVM used, and
//! arms for the deadline. The one in the callback finishes. What KVM reads back from the timer,
//! through `__hrtimer_get_remaining()`, is computed from the deadline.
//!
//! A timer is looked at only inside a call that was given it: what is pending is not re-armed, but
//! armed with a margin.

use crate::{
    cover,
    ffi::{
        self,
        Measure,
        Module,
        Target,
        Timer, //
    },
    frequency::Frequency,
    margin,
    measure,
    rate::{
        Cycles,
        MonoNs,
        RawNs, //
    },
    records::{
        Record,
        Records, //
    },
    snapshot::{
        Snapshot,
        CURRENT, //
    },
    stats, //
};

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

static RECORDS: Records = Records::new();

/// Whether the hooks are in place.
static HOOKED: Atomic<i32> = Atomic::new(0);

/// The frequency that KVM converts by; set before the hooks are.
static CYCLES_PER_NS: Atomic<u64> = Atomic::new(0);
static NS_PER_CYCLE: Atomic<u64> = Atomic::new(0);

#[inline]
fn frequency() -> Frequency {
    Frequency {
        cycles_per_ns: CYCLES_PER_NS.load(Relaxed),
        ns_per_cycle: NS_PER_CYCLE.load(Relaxed),
    }
}

/// Looks for the timers of the KVM modules that are loaded, and hooks them. Process context,
/// with the `KvmLock` held.
pub(crate) fn refresh() {
    let found = Target::ALL.map(|target| {
        target.is_wanted()
            && target
                .find()
                .inspect_err(|e| cover::note(target, *e))
                .is_ok()
    });
    let found = || {
        Target::ALL
            .into_iter()
            .zip(found)
            .filter_map(|(t, found)| found.then_some(t))
    };

    if found().next().is_none() {
        return;
    }
    if let Err(error) = hook() {
        pr_warn!("cannot hook the arming of timers ({error:?}): KVM's are as before\n");
        for target in found() {
            target.unfind();
            cover::note(target, error);
        }
        return;
    }
    found().for_each(Target::activate);
}

/// Places the hooks that all timers share, if they are not there.
fn hook() -> Result {
    if is_hooked() {
        return Ok(());
    }
    // The TSC's frequency is not known where there is none.
    let frequency = Frequency::from_khz(ffi::tsc_khz()).ok_or(ENXIO)?;

    CYCLES_PER_NS.store(frequency.cycles_per_ns, Relaxed);
    NS_PER_CYCLE.store(frequency.ns_per_cycle, Relaxed);
    ffi::stock_hook()?;
    HOOKED.store(1, Relaxed);
    Ok(())
}

/// Takes the hooks away.
///
/// Timers that are pending were armed with a margin, and are early without their callbacks' hook: it
/// stays until they have expired, but no longer than [`DRAIN`].
pub(crate) fn unhook() {
    if !is_hooked() {
        return;
    }
    ffi::stock_unhook_start();
    for _ in 0..DRAIN / DRAIN_STEP {
        if !RECORDS.is_any_pending(ffi::rdtsc()) {
            break;
        }
        fsleep(Delta::from_millis(DRAIN_STEP));
    }
    drop_where(|_| true);
}

/// How long, and how often, removal looks for pending timers, in milliseconds.
const DRAIN: i64 = 5000;
const DRAIN_STEP: i64 = 10;

/// `module` has gone: its callbacks are no more, and what is at their addresses later is another's.
pub(crate) fn forget(module: Module) {
    let left = |target: Target| target.is_active() && !target.is_of(module);

    if is_hooked() && !Target::ALL.into_iter().any(left) {
        ffi::stock_unhook_start();
    }
    drop_where(|target| target.is_of(module));
}

/// Lets targets go; with the last of them the hooks, of which the arming function's is gone then.
fn drop_where(condition: impl Fn(Target) -> bool) {
    let dropped = || Target::ALL.into_iter().filter(|target| condition(*target));

    dropped().for_each(Target::deactivate);
    let left = Target::ALL.iter().any(|target| target.is_active());
    if !left && is_hooked() {
        HOOKED.store(0, Relaxed);
        ffi::stock_unhook();
    }
    for target in dropped() {
        target.unfind();
        cover::note(target, ENODEV);
    }
}

/// Whether any timer of KVM's is hooked.
pub(crate) fn is_hooked() -> bool {
    HOOKED.load(Relaxed) != 0
}

/// Returns the snapshot, if it is the TSC that the clock follows.
#[inline]
fn snapshot() -> Option<Snapshot> {
    let (snapshot, _) = CURRENT.read()?;

    snapshot.tsc.then_some(snapshot)
}

/// Returns the record of a timer that is armed for `deadline` at `now`.
#[inline]
fn record(snapshot: &Snapshot, deadline: Cycles, now: Cycles) -> Record {
    let expiry = match ffi::param_measure() {
        Measure::Off => margin::expiry(
            &snapshot.expiry_line(),
            snapshot.raw,
            ffi::param_reserve(),
            deadline,
            now,
        ),
        less => measure::expiry(less, snapshot, frequency(), deadline, now),
    };

    Record { deadline, expiry }
}

/// Returns the expiry to arm `timer` with, which KVM arms for `plain`.
///
/// Context: `hrtimer_start_range_ns()`'s: any but NMI.
pub(crate) fn start(timer: Timer<'_>, plain: MonoNs) -> MonoNs {
    let key = timer.key();
    let Some(snapshot) = snapshot() else {
        stats::PLAIN.count();
        RECORDS.remove(key);
        return plain;
    };
    let now = ffi::rdtsc();

    let deadline = match RECORDS.find(key) {
        // Started again with the expiry that it had (`hrtimer_start_expires()`, as on a vCPU's
        // migration): that one is compensated already.
        Some(record) if record.expiry == plain => record.deadline,
        _ => {
            let ns = plain.get().wrapping_sub(snapshot.timeline.mono(now).get());
            // Due already: nothing to compensate.
            if ns <= 0 {
                RECORDS.remove(key);
                return plain;
            }
            let cycles = frequency().cycles(ns.unsigned_abs());
            Cycles::new(now.get().saturating_add(cycles.get()))
        }
    };
    let record = record(&snapshot, deadline, now);

    stats::STARTS.count();
    if !RECORDS.put(key, &record, now) {
        stats::NO_ROOM.count();
        return plain;
    }
    record.expiry
}

/// The TSC counts anew: no deadline says when it is, and what was armed stays armed for the expiry that
/// it has, as without the module. Context: hard interrupt.
pub(crate) fn tsc_restarted() {
    RECORDS.clear();
}

/// Returns the record of `timer` if that is what it was last armed by.
#[inline]
fn record_of(timer: Timer<'_>) -> Option<Record> {
    let record = RECORDS.find(timer.key())?;

    (record.expiry == timer.expires()).then_some(record)
}

/// Whether `timer`'s callback, which is about to run, would run early. Context: the callback's.
#[inline]
pub(crate) fn is_early(timer: Timer<'_>) -> bool {
    match record_of(timer) {
        Some(record) => {
            ffi::rdtsc() < record.deadline
                && snapshot().is_some()
                && ffi::param_measure() != Measure::Arm
        }
        None => false,
    }
}

/// In place of a callback that would run early: gives `timer` the expiry at which to look again.
pub(crate) fn finish(timer: Timer<'_>) {
    let (Some(old), Some(snapshot)) = (record_of(timer), snapshot()) else {
        return;
    };
    let now = ffi::rdtsc();
    let record = record(&snapshot, old.deadline, now);

    stats::RESTARTS.count();
    // Its own record, of a deadline that is still to come, is there to be filled again.
    RECORDS.put(timer.key(), &record, now);
    timer.set_expires(record.expiry);
}

/// Whether what is left of `timer` is to be taken from its deadline.
#[inline]
pub(crate) fn has_record(timer: Timer<'_>) -> bool {
    record_of(timer).is_some()
}

/// Returns what is left of `timer` in the nanoseconds that KVM counts guest time in, 0 if nothing.
pub(crate) fn remaining(timer: Timer<'_>) -> RawNs {
    let Some(record) = record_of(timer) else {
        return RawNs::new(0);
    };
    let cycles = record.deadline.get().saturating_sub(ffi::rdtsc().get());

    // CAST: `ns()` returns at most `i64::MAX`.
    RawNs::new(frequency().ns(Cycles::new(cycles)) as i64)
}
