// SPDX-License-Identifier: GPL-2.0

//! The callbacks of KVM's timers, and the hooks that go with them.
//!
//! C file: [`c/kvm/hooks.c`](../../c/kvm/hooks.c)

use super::{
    bindings,
    timer::Timer, //
};

use kernel::{
    error::to_result,
    prelude::*, //
};

/// A kind of timer, known by its callback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    id: bindings::rht_target_id,
    /// As in the parameter, the log and the files.
    pub(crate) name: &'static str,
}

impl Target {
    /// The LAPIC timer, whose callback may restart it.
    const LAPIC: Self = Self::ALL[1];

    /// All that are known.
    pub(crate) const ALL: [Self; 4] = [
        Self {
            id: bindings::rht_target_id_RHT_NESTED,
            name: "nested",
        },
        Self {
            id: bindings::rht_target_id_RHT_LAPIC,
            name: "lapic",
        },
        Self {
            id: bindings::rht_target_id_RHT_HYPERV,
            name: "hyperv",
        },
        Self {
            id: bindings::rht_target_id_RHT_XEN,
            name: "xen",
        },
    ];

    /// Returns its place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        // CAST: An identifier is below `RHT_TARGETS`.
        self.id as usize
    }

    /// Whether its parameter is set.
    pub(crate) fn is_enabled(self) -> bool {
        // SAFETY: `id` is inside the array of parameters.
        unsafe { bindings::rht_param_target(self.id) }
    }

    /// Finds it in the modules that are loaded, and hooks its callback; or returns why not: `ENODEV`,
    /// its module is not loaded; `ENOENT`, its module has no such function; else ftrace's reason.
    /// Process context.
    pub(crate) fn find(self) -> Result {
        // SAFETY: `id` is inside the array of targets; the lock of `kvm::attach` keeps other callers away.
        to_result(unsafe { bindings::rht_hooked_find(self.id) })
    }

    /// Has the hooks act on those of [`Self::ALL`] that `condition` names, which were found, and on no
    /// others.
    pub(crate) fn use_where(condition: impl Fn(Self) -> bool) {
        let used = Self::ALL.into_iter().filter(|target| condition(*target));
        let mask = used.fold(0, |mask, target| mask | 1 << target.id);

        // SAFETY: As in `find()`.
        unsafe { bindings::rht_hooked_use(mask) };
    }

    /// Whether the hooks act on it.
    pub(crate) fn is_used(self) -> bool {
        // SAFETY: `id` is inside the array of targets; a word is read once.
        unsafe { bindings::rht_hooked_used(self.id) }
    }

    /// Returns the one with this identifier.
    pub(super) fn from_c(id: bindings::rht_target_id) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.id == id)
    }

    /// Removes the hook from its callback, if there is one. Process context, may sleep.
    pub(crate) fn unhook(self) {
        // SAFETY: As in `find()`; the hooks do not act on it.
        unsafe { bindings::rht_hooked_drop(self.id) };
    }

    /// Returns the one whose callback is `timer`'s. Any context.
    pub(crate) fn of(timer: Timer<'_>) -> Option<Self> {
        // SAFETY: A `Timer` is valid; its callback does not change.
        Self::from_c(unsafe { bindings::rht_hooked_target(timer.as_raw()) })
    }

    /// Whether its callback may restart it.
    #[inline]
    pub(crate) fn may_be_periodic(self) -> bool {
        self == Self::LAPIC
    }

    /// Whether it is one of `module`'s.
    pub(crate) fn is_of(self, module: Module) -> bool {
        // SAFETY: `id` is inside the array of targets.
        unsafe { bindings::rht_hooked_module(self.id) == module.0 }
    }
}

/// One of KVM's modules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Module(bindings::rht_kvm_module);

impl Module {
    /// `kvm.ko`, which has the registration point.
    pub(crate) const KVM: Self = Self(bindings::rht_kvm_module_RHT_KVM);

    pub(super) fn from_c(module: bindings::rht_kvm_module) -> Self {
        Self(module)
    }
}

/// Whether this kernel has what hooks are made of. Any context.
pub(crate) fn hooks_possible() -> bool {
    // SAFETY: Returns a constant.
    unsafe { bindings::rht_hooked_possible() }
}

/// The hooks that all timers share. Dropping it removes them, and waits for whoever is inside a
/// replacement. Process context, may sleep.
#[must_use = "dropping it removes the hooks"]
pub(crate) struct HrtimerHooks(());

impl HrtimerHooks {
    /// Places them; they act on no timer before [`Target::use_where()`]. `ENOENT` where KVM lacks a
    /// function. Process context, may sleep.
    pub(crate) fn place() -> Result<Self> {
        // SAFETY: Process context, one caller at a time, as for `Target::find()`; what the hooks call is
        // ready.
        to_result(unsafe { bindings::rht_hooked_place() })?;
        Ok(Self(()))
    }
}

impl Drop for HrtimerHooks {
    fn drop(&mut self) {
        // SAFETY: Process context; the hooks are in place.
        unsafe { bindings::rht_hooked_remove() };
    }
}

/// Does not return if ftrace has refused to remove a hook. Process context, may sleep.
pub(crate) fn hooks_stay_if_stuck() {
    // SAFETY: Process context, from the module's exit.
    unsafe { bindings::rht_hooked_stay_if_stuck() };
}
