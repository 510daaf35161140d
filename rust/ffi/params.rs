// SPDX-License-Identifier: GPL-2.0

//! The module's parameters.
//!
//! C file: [`c/params.c`](../../c/params.c)

use super::bindings;

/// Parameter `attach`: which KVM to attach to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attach {
    /// Register with a KVM that offers it, hook any other.
    Auto,
    /// Register, or fail if the KVM that is loaded does not offer it.
    Registered,
    /// Hook the KVM, whatever it offers.
    Hooked,
    /// Leave KVM alone.
    Off,
}

/// Returns the parameter `attach`.
pub(crate) fn param_attach() -> Attach {
    // SAFETY: Reads a word that is written before the module's init alone.
    match unsafe { bindings::rht_param_attach() } {
        bindings::rht_attach_RHT_ATTACH_REGISTERED => Attach::Registered,
        bindings::rht_attach_RHT_ATTACH_HOOKED => Attach::Hooked,
        bindings::rht_attach_RHT_ATTACH_OFF => Attach::Off,
        _ => Attach::Auto,
    }
}

/// Returns the parameter `rearm`. Any context.
#[inline]
pub(crate) fn param_rearm() -> bool {
    // SAFETY: Reads a word once; any context.
    unsafe { bindings::rht_param_rearm() }
}
