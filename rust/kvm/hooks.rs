// SPDX-License-Identifier: GPL-2.0

//! Placing the hooks in a KVM that does not call the module, and removing them.
//!
//! Hooks act on the timers of a *used* target alone. So all hooks are placed before the targets are used,
//! all at once; and no target is used any more before the hooks are removed. A timer that was started
//! before is unknown to each of them.

use super::{
    convert,
    cover::{
        self,
        Missed, //
    }, //
};

use crate::{
    clock::frequency::Frequency,
    ffi::{
        self,
        table::OpenTable,
        HrtimerHooks,
        Module,
        Target, //
    }, //
};

use kernel::prelude::*;

/// The hooks, of which at least one target's callback has one. Dropping it removes them: timers that are
/// pending keep the expiry that they have. Process context.
#[must_use = "dropping it removes the hooks"]
pub(super) struct Hooks {
    shared: Option<HrtimerHooks>,
    /// Dropped last, because the hook of a callback finds entries, too.
    _table: OpenTable,
}

impl Hooks {
    /// Hooks the targets that are found in the modules that are loaded, beside those of `hooks`; notes in
    /// `missed` why the others are not. `None` if none is. Process context.
    pub(super) fn place(hooks: Option<Self>, missed: &mut Missed) -> Option<Self> {
        let found = Target::ALL.map(|target| {
            let result = match target.is_enabled() {
                true => target.find(),
                false => return false,
            };
            missed[target.index()] = result.err();
            result.is_ok()
        });

        if !found.contains(&true) {
            return hooks;
        }
        let placed = match hooks {
            Some(hooks) => Ok(hooks),
            None => Self::place_shared(),
        };
        match placed {
            Ok(hooks) => {
                Target::use_where(|target| found[target.index()]);
                Some(hooks)
            }
            Err(error) => {
                pr_warn!("cannot hook the hrtimer core ({error:?}): KVM's timers are as before\n");
                for target in Target::ALL.into_iter().filter(|t| found[t.index()]) {
                    target.unhook();
                    missed[target.index()] = Some(error);
                }
                None
            }
        }
    }

    /// Places the hooks that all timers share.
    fn place_shared() -> Result<Self> {
        // The TSC's frequency is not known where there is none.
        convert::set_frequency(Frequency::from_khz(ffi::tsc_khz()).ok_or(ENXIO)?);
        let table = OpenTable::new();

        Ok(Self {
            shared: Some(HrtimerHooks::place()?),
            _table: table,
        })
    }

    /// Removes the hooks of the targets of `module`, which is going: what is at their addresses later is
    /// another's. It has no vCPU left, and so no timer. Returns whether any target is left.
    pub(super) fn remove_module(&mut self, module: Module, missed: &mut Missed) -> bool {
        let is_left = |target: Target| target.is_used() && !target.is_of(module);
        let is_any_left = Target::ALL.into_iter().any(is_left);

        // Else all are removed in the right order when this is dropped.
        if is_any_left {
            Target::use_where(is_left);
            for target in Target::ALL.into_iter().filter(|t| t.is_of(module)) {
                target.unhook();
                missed[target.index()] = None;
            }
        }
        is_any_left
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        Target::use_where(|_| false);
        self.shared = None;
        for target in Target::ALL {
            target.unhook();
            cover::reset(target);
        }
    }
}
