// SPDX-License-Identifier: GPL-2.0

//! Which timers of a KVM that is hooked are covered, and which are not, and why: for the log and the
//! file `attach`.

use crate::ffi::{
    self,
    Target, //
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

/// Whether a timer is covered.
pub(crate) enum Cover {
    Yes,
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
            return Self::Yes;
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

/// Remembers why `target` could not be hooked.
pub(crate) fn note(target: Target, error: Error) {
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
