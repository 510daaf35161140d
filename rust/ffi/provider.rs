// SPDX-License-Identifier: GPL-2.0

//! The registration with a KVM that calls the module, and the notifier of KVM's modules.
//!
//! C file: [`c/kvm/provider.c`](../../c/kvm/provider.c)

use super::bindings;

use kernel::{
    error::to_result,
    prelude::*, //
};

/// The registration of the module's operations. Dropping it takes them back, and waits for whoever is
/// inside one. Process context, may sleep.
#[must_use = "dropping it unregisters"]
pub(crate) struct Registration(());

impl Registration {
    /// Registers the operations. `ENOENT` without a KVM that takes them. Process context, may sleep.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: The operations are static and call what is ready to be called, because the module's
        // first fields are the queues and the listener. KVM refuses a second registration.
        to_result(unsafe { bindings::rht_kvm_register() })?;
        Ok(Self(()))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: The operations were registered; if that KVM has gone, nothing is done.
        unsafe { bindings::rht_kvm_unregister() };
    }
}

/// The notifier of KVM's modules. Dropping it waits for a notification that runs. Process context, may
/// sleep.
#[must_use = "dropping it unregisters the notifier"]
pub(crate) struct KvmNotifier(());

impl KvmNotifier {
    /// Registers the notifier. Process context, may sleep.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: The notifier block is static; it cannot be registered twice.
        to_result(unsafe { bindings::rht_kvm_notifier_register() })?;
        Ok(Self(()))
    }
}

impl Drop for KvmNotifier {
    fn drop(&mut self) {
        // SAFETY: The notifier was registered.
        unsafe { bindings::rht_kvm_notifier_unregister() };
    }
}
