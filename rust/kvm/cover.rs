// SPDX-License-Identifier: GPL-2.0

//! Which timers of a KVM that is hooked are covered, and which are not, and why: for the log and the
//! file `attach`.

use crate::ffi::{
    self,
    table,
    Target,
    Word, //
};

use kernel::{
    fmt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Why each target was not hooked, as an error number. Written with the `KvmLock` held.
static WHY: [Atomic<i32>; Target::ALL.len()] = [const { Atomic::new(0) }; Target::ALL.len()];

/// What the hooks have noticed of each target: a bit of [`BLIND`], [`SAID`]. Any context.
static NOTICED: [Word; Target::ALL.len()] = [const { Word::new(0) }; Target::ALL.len()];

/// It is started by a function that is not hooked.
const BLIND: u64 = 1;

/// It is not an absolute timer on `CLOCK_MONOTONIC`: KVM may do without this module.
const FOREIGN: u64 = 2;

/// The log has it.
const SAID: u64 = 1 << 32;

/// Whether a timer is covered.
pub(crate) enum Cover {
    Yes,
    /// KVM starts it by a function that is not hooked.
    Blind,
    /// KVM starts it on another clock than `CLOCK_MONOTONIC`, or relative to now.
    Foreign,
    /// The user does not want it.
    Parameter,
    /// Its module is not loaded.
    NoModule,
    /// Its module is loaded and does not have it: another KVM than the module knows.
    NoFunction,
    /// A live patch, or another that replaces it, has its callback; or ftrace is switched off.
    Busy,
    /// This kernel has no hooks to offer.
    Unsupported,
    Other(Error),
}

impl Cover {
    /// Returns what is the case for `target`.
    pub(crate) fn of(target: Target) -> Self {
        if target.is_active() {
            return match NOTICED[target.index()].load() & (BLIND | FOREIGN) {
                0 => Self::Yes,
                BLIND => Self::Blind,
                _ => Self::Foreign,
            };
        }
        if !target.is_wanted() {
            return Self::Parameter;
        }
        match WHY[target.index()].load(Relaxed) {
            0 => Self::NoModule,
            errno => match Error::from_errno(errno) {
                error if error == ENODEV => Self::NoModule,
                error if error == ENOENT => Self::NoFunction,
                error if error == EBUSY => Self::Busy,
                error if error == ffi::eopnotsupp() => Self::Unsupported,
                error => Self::Other(error),
            },
        }
    }
}

impl fmt::Display for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("yes"),
            Self::Blind => f.write_str("no (KVM starts it by a function that is not hooked)"),
            Self::Foreign => f.write_str("no (KVM starts it on another clock, or relative to now)"),
            Self::Parameter => f.write_str("no (by parameter)"),
            Self::NoModule => f.write_str("no (its module is not loaded)"),
            Self::NoFunction => f.write_str("no (its module has no such function)"),
            Self::Busy => f.write_str("no (another has the function, or ftrace is off)"),
            Self::Unsupported => {
                f.write_str("no (this kernel has no ftrace with arguments, or no kprobes)")
            }
            Self::Other(error) => f.write_fmt(fmt!("no ({error:?})")),
        }
    }
}

/// A start of `target` is none of an absolute timer on `CLOCK_MONOTONIC`. Any context.
#[cold]
pub(crate) fn set_foreign(target: Target) {
    notice(target, FOREIGN);
}

/// Callbacks of `target` come, and starts do not. Any context.
#[cold]
pub(crate) fn set_blind(target: Target) {
    notice(target, BLIND);
}

fn notice(target: Target, what: u64) {
    let noticed = &NOTICED[target.index()];

    // What is lost to another CPU here is noticed with the next such start or callback.
    if noticed.load() & what == 0 {
        noticed.store_release(noticed.load() | what);
        table::queue_work();
    }
}

/// Writes to the log, once, what the hooks have noticed. Process context.
pub(crate) fn say_what_was_noticed() {
    for target in Target::ALL {
        let noticed = &NOTICED[target.index()];

        if noticed.load() & (BLIND | FOREIGN) != 0 && noticed.load() & SAID == 0 {
            noticed.store_release(noticed.load() | SAID);
            pr_warn!("{}: {}\n", target.name, Cover::of(target));
        }
    }
}

/// Remembers why `target` could not be hooked, or is not any more.
pub(crate) fn note(target: Target, error: Error) {
    NOTICED[target.index()].store_release(0);
    WHY[target.index()].store(error.to_errno(), Relaxed);
}

/// Whether a module is loaded whose timers would be hooked if they could.
pub(crate) fn is_any_missed() -> bool {
    let missed = |target| !matches!(Cover::of(target), Cover::Yes | Cover::NoModule);

    Target::ALL.into_iter().any(missed)
}

/// All of them, in one line.
pub(crate) struct Line;

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for target in Target::ALL {
            f.write_fmt(fmt!("{} {}, ", target.name, Cover::of(target)))?;
        }
        f.write_str("pit no (it does not count the TSC)")
    }
}
