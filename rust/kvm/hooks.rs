// SPDX-License-Identifier: GPL-2.0

//! Attaching to a KVM that does not call the module: which hooks are placed, and when.
//!
//! Hooks act on the timers of a *used* target alone, so their order is: all are placed, then the targets
//! are used, all at once; first no target is used any more, then all are removed. A timer that was
//! started before is unknown to each of them.

use crate::{
    clock::frequency::Frequency,
    ffi::{
        self,
        table,
        Module,
        Target, //
    },
    kvm::{
        cover,
        hooked, //
    }, //
};

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Whether the hooks that all timers share are in place.
static HOOKED: Atomic<i32> = Atomic::new(0);

/// Whether KVM's timers are hooked.
pub(crate) fn is_hooked() -> bool {
    HOOKED.load(Relaxed) != 0
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

    if !found.contains(&true) {
        return;
    }
    if let Err(error) = place() {
        pr_warn!("cannot hook the hrtimer core ({error:?}): KVM's timers are as before\n");
        for target in Target::ALL.into_iter().filter(|t| found[t.index()]) {
            target.unhook();
            cover::note(target, error);
        }
        return;
    }
    Target::use_where(|target| found[target.index()]);
}

/// Places the hooks that all timers share, if they are not there.
fn place() -> Result {
    if is_hooked() {
        return Ok(());
    }
    // The TSC's frequency is not known where there is none.
    hooked::set_frequency(Frequency::from_khz(ffi::tsc_khz()).ok_or(ENXIO)?);
    table::open();
    ffi::hooks_place().inspect_err(|_| table::close())?;
    HOOKED.store(1, Relaxed);
    Ok(())
}

/// Removes the hooks. Timers that are pending keep the expiry that they have. Process context; no node
/// is on a queue, and none is put there any more.
pub(crate) fn unhook() {
    remove_where(|_| true);
}

/// `module` goes: its callbacks are no more, and what is at their addresses later is another's. It has
/// no vCPU left, and so no timer.
pub(crate) fn forget(module: Module) {
    remove_where(|target| target.is_of(module));
}

/// Removes the hooks of targets; with the last of them those that all share.
fn remove_where(condition: impl Fn(Target) -> bool) {
    let is_left = |target: Target| target.is_active() && !condition(target);
    let is_any_left = Target::ALL.into_iter().any(is_left);

    let is_last = is_hooked() && !is_any_left;

    Target::use_where(is_left);
    if is_last {
        HOOKED.store(0, Relaxed);
        ffi::hooks_remove();
    }
    for target in Target::ALL.into_iter().filter(|target| condition(*target)) {
        target.unhook();
        cover::note(target, ENODEV);
    }
    // A callback's hook looks for entries, too.
    if is_last {
        table::close();
    }
}
