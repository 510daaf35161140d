// SPDX-License-Identifier: GPL-2.0

//! A KVM that offers a registration point (`patches/kvm`), loaded before the module or after it.

use crate::{
    ffi::{
        self,
        Attach, //
    },
    rearm, //
};

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Whether KVM arms its timers through the module. Written under the module notifier's lock, and
/// before the notifier is there and after it has gone.
static REGISTERED: Atomic<i32> = Atomic::new(0);

/// Keeps the module registered with whichever KVM is loaded.
#[must_use = "dropping it gives KVM's timers back"]
pub(crate) struct Attachment {
    watching: bool,
}

impl Attachment {
    /// Registers with a KVM that is loaded, and watches for one that comes later.
    pub(crate) fn new() -> Result<Self> {
        let attach = ffi::param_attach();

        if attach == Attach::Off {
            pr_info!("attach=off: no KVM's timers are touched\n");
            return Ok(Self { watching: false });
        }
        ffi::kvm_watch()?;
        // From here on an error is undone by the drop.
        let this = Self { watching: true };
        live();
        if attach == Attach::Registered && !is_registered() {
            pr_err!("attach=registered: no KVM is loaded that takes a timer provider\n");
            return Err(ENODEV);
        }
        Ok(this)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if self.watching {
            ffi::kvm_unwatch();
        }
        // First nothing is linked to the module's lists, then nobody calls it.
        rearm::close();
        if REGISTERED.load(Relaxed) != 0 {
            ffi::kvm_unregister();
            pr_info!("KVM's timers are as before\n");
        }
    }
}

/// Whether a KVM calls the module.
pub(crate) fn is_registered() -> bool {
    REGISTERED.load(Relaxed) != 0
}

/// A KVM has come, or may have been there before.
pub(crate) fn live() {
    if is_registered() {
        return;
    }
    match ffi::kvm_register() {
        Ok(()) => {
            REGISTERED.store(1, Relaxed);
            pr_info!("registered with KVM: its timers keep to the TSC\n");
        }
        Err(error) if error == ENOENT => pr_info!("no KVM that registers a timer provider\n"),
        Err(error) => pr_warn!("KVM refused the registration: {error:?}\n"),
    }
}

/// KVM has gone, and with it its registration.
pub(crate) fn gone() {
    REGISTERED.store(0, Relaxed);
}
