// SPDX-License-Identifier: GPL-2.0

//! Arming an hrtimer for a TSC deadline.
//!
//! # Vocabulary
//!
//! * **deadline**: the TSC value before which the callback's work must not be done.
//! * **exact expiry**: the time at which the clock reaches the deadline, if its rate stays.
//! * **plain expiry**: the expiry that the caller has set, used where a deadline has none.
//! * **start**: arm a timer for its deadline.
//! * **restart**: in a callback that runs before the deadline, set the timer's next expiry. The
//!   callback then returns `HRTIMER_RESTART`.
//!
//! C header: [`include/linux/raw_hrtimer.h`](../../include/linux/raw_hrtimer.h)

use super::{
    event,
    uncoupled, //
};

use crate::{
    clock::{
        deadline::{
            Expiry,
            Timeline, //
        },
        snapshot::{
            self,
            Kind, //
        }, //
    },
    counters,
    ffi::{
        self,
        trace,
        Mode,
        Timer, //
    },
    units::{
        Cycles,
        MonoNs, //
    }, //
};

/// Returns the exact expiry of `deadline`, or `None`, which is counted, if the clocksource is not the TSC.
///
/// Any context. No clock read, no division: one multiplication and a shift.
#[inline]
pub(crate) fn expiry(deadline: Cycles) -> Option<MonoNs> {
    let (line, kind, _) = snapshot::current_line();

    if kind == Kind::NO_TSC {
        counters::PLAIN.count();
        return None;
    }
    Some(exact(&line, deadline))
}

#[inline]
fn exact(line: &Timeline, deadline: Cycles) -> MonoNs {
    let expiry = line.expiry(deadline);

    match expiry {
        Expiry::At(_) => (),
        Expiry::Past(_) => counters::PAST.count(),
        Expiry::Beyond => counters::SATURATED.count(),
    }
    expiry.ns()
}

/// Returns the expiry that a timer for `deadline` is to have, or `None` as [`expiry()`] does.
///
/// That is the exact expiry, unless the clock runs fast and the clockevent counts nanoseconds of its
/// own: there it is [`uncoupled::armed_expiry()`].
///
/// Also returns the generation of the snapshot, or of one before.
#[inline(always)]
pub(crate) fn armed_expiry(deadline: Cycles) -> (Option<MonoNs>, u64) {
    exact_or(deadline, ffi::uncoupled(), uncoupled::armed_expiry)
}

/// Returns the expiry to start a timer for `deadline` with, on this CPU: where the clockevent would
/// come too late for [`armed_expiry()`], an earlier one, or the clockevent is programmed anew.
#[inline(always)]
pub(crate) fn start_expiry(deadline: Cycles) -> (Option<MonoNs>, u64) {
    exact_or(deadline, ffi::mark(), start_renewed)
}

#[inline(always)]
fn exact_or(
    deadline: Cycles,
    mark: u64,
    or: impl FnOnce(Cycles) -> Option<MonoNs>,
) -> (Option<MonoNs>, u64) {
    let (line, kind, generation) = snapshot::current_line();
    let expiry = if kind.is_above(mark) {
        Some(exact(&line, deadline))
    } else {
        or(deadline)
    };

    (expiry, generation)
}

/// As [`start_expiry()`], on a CPU whose clockevent may come too late. Apart, because few starts
/// are the first after a speed-up.
#[cold]
#[inline(never)]
fn start_renewed(deadline: Cycles) -> Option<MonoNs> {
    if !ffi::clockevent_counts_tsc() {
        if ffi::mark() != ffi::UNCOUPLED {
            ffi::set_mark(ffi::UNCOUPLED);
        }
        return uncoupled::start_expiry(deadline);
    }
    // Read again, so that the hot caller need not spill its own.
    let (line, kind, _) = snapshot::current_line();

    if kind == Kind::NO_TSC {
        counters::PLAIN.count();
        return None;
    }
    event::renew(kind);
    Some(exact(&line, deadline))
}

/// Returns the mode without `HRTIMER_MODE_REL`, which a deadline cannot have: that is counted, and warned
/// of once.
#[inline]
pub(crate) fn absolute(mode: Mode) -> Mode {
    if mode.is_relative() {
        counters::WRONG_MODE.count();
        ffi::warn_mode();
        return mode.absolute();
    }
    mode
}

/// Starts `timer` for `deadline`, or for its plain expiry where that is not possible.
///
/// Any context but NMI, in which `hrtimer_start()` can be called on `timer`.
pub(crate) fn start(timer: Timer<'_>, deadline: Cycles, mode: Mode) {
    counters::STARTS.count();

    let mode = absolute(mode);
    let expiry = if timer.is_monotonic() {
        start_expiry(deadline).0
    } else {
        counters::WRONG_CLOCK.count();
        ffi::warn_clock();
        None
    };
    match expiry {
        Some(expiry) => trace::arm(timer, deadline, expiry, mode),
        None => timer.start_plain(mode),
    }
}

/// Whether this CPU's TSC has reached `deadline`.
#[inline]
pub(crate) fn is_reached(deadline: Cycles) -> bool {
    ffi::rdtsc() >= deadline
}

/// In the callback of `timer`: if `deadline` is still to come, sets the next expiry and returns `true`;
/// the callback has to return `HRTIMER_RESTART`.
#[inline]
pub(crate) fn restart(timer: Timer<'_>, deadline: Cycles) -> bool {
    let now: Cycles = ffi::rdtsc();

    if now >= deadline {
        trace::expire(timer, deadline, now);
        return false;
    }
    set_next_expiry(timer, deadline, counters::RESTARTS)
}

/// Sets the next expiry of a `timer` whose deadline this CPU's TSC has not reached, and counts `what`;
/// `false` if there is none. Apart from [`restart()`], because most callbacks do not come here. Context:
/// the callback.
#[cold]
#[inline(never)]
pub(crate) fn set_next_expiry(timer: Timer<'_>, deadline: Cycles, what: counters::Counter) -> bool {
    let Some(expiry) = next_expiry(deadline) else {
        trace::expire(timer, deadline, ffi::rdtsc());
        return false;
    };
    what.count();
    if what == counters::STARTS {
        trace::start(timer, deadline, expiry);
    } else {
        trace::rearm(timer, deadline, expiry);
    }
    timer.set_expires(expiry);
    true
}

/// Returns an expiry for `deadline` that the clock has yet to reach. `None` if there is no such expiry, or
/// if the clocksource is not the TSC.
///
/// One that is nearer than [`ffi::SLACK`] is waited for: the hrtimer core would call the callback at once.
///
/// The TSC of a CPU may lag behind the one that the timekeeper has read, with the deadline between the
/// two. Then the timekeeper is right: with an expiry that has passed, the hrtimer core would call the
/// callback again and again, with interrupts off, until this CPU's TSC has caught up.
fn next_expiry(deadline: Cycles) -> Option<MonoNs> {
    let now = ffi::ktime_get();
    let armed = armed_expiry(deadline).0?;

    if ffi::may_run_from(armed) > now {
        return Some(armed);
    }
    // The nominal distance counts from this CPU's TSC, the exact expiry does not.
    let exact = expiry(deadline)?;
    if ffi::may_run_from(exact) > now {
        return Some(exact);
    }
    if exact > now {
        wait(deadline, exact);
    }
    None
}

/// How often to look meanwhile: some 30 us, should the TSC of this CPU lag behind.
const LOOKS: usize = 1000;

/// Waits until `deadline` is reached, by this CPU's TSC or by the clock.
fn wait(deadline: Cycles, exact: MonoNs) {
    for _ in 0..LOOKS {
        if is_reached(deadline) || ffi::ktime_get() >= exact {
            return;
        }
    }
}
