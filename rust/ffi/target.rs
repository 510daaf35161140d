// SPDX-License-Identifier: GPL-2.0

//! The callbacks of KVM's timers, and the hooks that go with them.
//!
//! C file: [`c/attach.c`](../../c/attach.c)

use super::bindings;

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

    /// Whether the parameters say that it is to be covered.
    pub(crate) fn is_wanted(self) -> bool {
        // SAFETY: `id` is inside the array of parameters.
        unsafe { bindings::rht_param_target(self.id) }
    }

    /// Looks for it in the modules that are loaded, and hooks its callback, or says why not: `ENODEV`,
    /// its module is not loaded; `ENOENT`, its module has no such function; else ftrace's reason.
    /// Process context.
    pub(crate) fn find(self) -> Result {
        // SAFETY: `id` is inside the array of targets; the `KvmLock` keeps other callers away, or, while
        // the module goes, the absence of the notifier.
        to_result(unsafe { bindings::rht_stock_find(self.id) })
    }

    /// Lets the hooks act on it, if it was found.
    pub(crate) fn activate(self) {
        // SAFETY: As in `find()`.
        unsafe { bindings::rht_stock_use(self.id) };
    }

    /// Whether the hooks act on it.
    pub(crate) fn is_active(self) -> bool {
        // SAFETY: `id` is inside the array of targets; a word is read once.
        unsafe { bindings::rht_stock_used(self.id) }
    }

    /// Lets the hooks act on it no more.
    pub(crate) fn deactivate(self) {
        // SAFETY: As in `find()`.
        unsafe { bindings::rht_stock_leave(self.id) };
    }

    /// Takes its callback's hook away, and waits for whoever is inside it. Process context, may sleep.
    pub(crate) fn unfind(self) {
        // SAFETY: As in `find()`.
        unsafe { bindings::rht_stock_drop(self.id) };
    }

    /// Whether it is one of `module`'s.
    pub(crate) fn is_of(self, module: Module) -> bool {
        // SAFETY: `id` is inside the array of targets.
        unsafe { bindings::rht_stock_module(self.id) == module.0 }
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
pub(crate) fn stock_possible() -> bool {
    // SAFETY: Returns a constant.
    unsafe { bindings::rht_stock_possible() }
}

/// Places the hooks. Process context, may sleep.
pub(crate) fn stock_hook() -> Result {
    // SAFETY: Process context; the hooks are not in place, and what they call is ready.
    to_result(unsafe { bindings::rht_stock_hook() })
}

/// Takes away the one in the arming function, and waits for whoever is inside it. The first step.
/// Process context, may sleep.
pub(crate) fn stock_unhook_start() {
    // SAFETY: Process context; the hooks are in place.
    unsafe { bindings::rht_stock_unhook_start() };
}

/// Takes the others away, and waits for whoever is inside one. Process context, may sleep.
pub(crate) fn stock_unhook() {
    // SAFETY: Process context; the hooks are in place, but for the arming function's.
    unsafe { bindings::rht_stock_unhook() };
}

/// Returns the TSC's frequency in kHz, as KVM takes it for the guests that are created from now on.
pub(crate) fn tsc_khz() -> u32 {
    // SAFETY: Reads an aligned word, which the kernel writes at boot, and once more some seconds later
    // where it refines the frequency.
    unsafe { bindings::rht_tsc_khz() }
}
