// SPDX-License-Identifier: GPL-2.0

//! Which timers of a KVM that is hooked are covered, and which are not, and why: for the log and the
//! file `attach`.

use crate::ffi::{
    self,
    table,
    Module,
    Target,
    Word, //
};

use kernel::{
    fmt,
    prelude::*, //
};

/// Why each target was not hooked; `None` also while its module is not loaded.
pub(crate) type Missed = [Option<Error>; Target::ALL.len()];

/// No KVM was looked for.
pub(super) const NONE_MISSED: Missed = [None; Target::ALL.len()];

/// Why nothing is hooked where [`ffi::hooks_possible()`] is false.
pub(super) const NO_HOOKS: &str = "this kernel has no ftrace with arguments, or no kprobes";

/// What the hooks have observed of each target: bits of [`BLIND`], [`FOREIGN`] and [`LOGGED`]. Any
/// context.
static OBSERVED: [Word; Target::ALL.len()] = [const { Word::new(0) }; Target::ALL.len()];

/// KVM starts it by a function that is not hooked.
const BLIND: u64 = 1;

/// It is not an absolute timer on `CLOCK_MONOTONIC`: KVM may do without this module.
const FOREIGN: u64 = 2;

/// The log has it.
const LOGGED: u64 = 1 << 32;

/// Whether a timer is covered.
pub(crate) enum Cover {
    Yes,
    /// KVM starts it by a function that is not hooked.
    Blind,
    /// KVM starts it on another clock than `CLOCK_MONOTONIC`, or relative to now.
    Foreign,
    /// Its parameter is not set.
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
    pub(crate) fn of(target: Target, missed: &Missed) -> Self {
        if target.is_used() {
            return Self::of_used(target);
        }
        if !target.is_enabled() {
            return Self::Parameter;
        }
        match missed[target.index()] {
            None => Self::NoModule,
            Some(error) if error == ENODEV => Self::NoModule,
            Some(error) if error == ENOENT => Self::NoFunction,
            Some(error) if error == EBUSY => Self::Busy,
            Some(error) if error == ffi::eopnotsupp() => Self::Unsupported,
            Some(error) => Self::Other(error),
        }
    }

    /// Returns what the hooks have observed of a target that they act on.
    fn of_used(target: Target) -> Self {
        match OBSERVED[target.index()].load() & (BLIND | FOREIGN) {
            0 => Self::Yes,
            BLIND => Self::Blind,
            _ => Self::Foreign,
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
            Self::Unsupported => f.write_fmt(fmt!("no ({NO_HOOKS})")),
            Self::Other(error) => f.write_fmt(fmt!("no ({error:?})")),
        }
    }
}

/// Notes a start of `target` that is relative, or on another clock than `CLOCK_MONOTONIC`. Any context.
#[cold]
pub(crate) fn set_foreign(target: Target) {
    observe(target, FOREIGN);
}

/// Notes that callbacks of `target` run whose start no hook has seen. Any context.
#[cold]
pub(crate) fn set_blind(target: Target) {
    observe(target, BLIND);
}

fn observe(target: Target, what: u64) {
    let observed = &OBSERVED[target.index()];

    // Another CPU may overwrite this: then the next such start or callback notes it again.
    if observed.load() & what == 0 {
        observed.store_release(observed.load() | what);
        table::queue_work();
    }
}

/// Writes to the log, once, what the hooks have observed. Process context.
pub(crate) fn log_observed() {
    for target in Target::ALL {
        let observed = &OBSERVED[target.index()];

        if observed.load() & (BLIND | FOREIGN) != 0 && observed.load() & LOGGED == 0 {
            observed.store_release(observed.load() | LOGGED);
            pr_warn!("{}: {}\n", target.name, Cover::of_used(target));
        }
    }
}

/// Resets what the hooks have observed of `target`, which is not hooked any more.
pub(super) fn reset(target: Target) {
    OBSERVED[target.index()].store_release(0);
}

/// Resets what is kept of the targets of a module that has gone.
pub(super) fn module_gone(module: Module, missed: &mut Missed) {
    for target in Target::ALL.into_iter().filter(|t| t.is_of(module)) {
        reset(target);
        missed[target.index()] = None;
    }
}

/// Whether a module is loaded whose timers would be hooked if they could.
pub(super) fn is_any_missed(missed: &Missed) -> bool {
    let is_missed = |target| !matches!(Cover::of(target, missed), Cover::Yes | Cover::NoModule);

    Target::ALL.into_iter().any(is_missed)
}

/// All of them, in one line; or what is the case for all.
pub(super) struct Line<'a>(pub(super) &'a Missed);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !ffi::hooks_possible() {
            return f.write_fmt(fmt!(
                "{NO_HOOKS}; a KVM with patches/kvm/provider needs neither"
            ));
        }
        for target in Target::ALL {
            f.write_fmt(fmt!("{} {}, ", target.name, Cover::of(target, self.0)))?;
        }
        f.write_str("pit no (it does not count the TSC)")
    }
}
