// SPDX-License-Identifier: GPL-2.0

//! Which way KVM's timers are armed: by a KVM that calls the module (`patches/kvm`), or from outside.
//!
//! KVM's modules come and go before and after this one. A KVM that offers the registration point is
//! registered with; any other is hooked, unless the parameter `attach` says otherwise.

use crate::{
    ffi::{
        self,
        Attach,
        KvmLock,
        Module, //
    },
    kvm::{
        cover,
        hooks, //
    },
    timer::pending, //
};

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// How KVM's timers come to be armed for their deadlines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// They do not.
    None,
    /// KVM calls the module.
    Registered,
    /// KVM is hooked.
    Hooked,
}

impl Way {
    /// Returns its name in the log and in debugfs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Registered => "registered",
            Self::Hooked => "hooked",
        }
    }
}

/// Whether KVM calls the module. Written with the [`KvmLock`] held.
static REGISTERED: Atomic<i32> = Atomic::new(0);

/// Returns the way in use.
pub(crate) fn way() -> Way {
    if REGISTERED.load(Relaxed) != 0 {
        Way::Registered
    } else if hooks::is_hooked() {
        Way::Hooked
    } else {
        Way::None
    }
}

/// Keeps the module attached to whichever KVM is loaded.
#[must_use = "dropping it gives KVM's timers back"]
pub(crate) struct Attachment {
    watching: bool,
}

impl Attachment {
    /// Attaches to a KVM that is loaded, and watches for one that comes later.
    pub(crate) fn new() -> Result<Self> {
        if ffi::param_attach() == Attach::Off {
            pr_info!("attach=off: no KVM's timers are touched\n");
            return Ok(Self { watching: false });
        }
        if ffi::param_attach() == Attach::Hooked && !ffi::hooks_possible() {
            pr_err!("attach=hooked: this kernel has no ftrace with arguments, or no kprobes\n");
            return Err(ffi::eopnotsupp());
        }
        ffi::kvm_watch()?;
        // From here on an error is undone by the drop.
        let this = Self { watching: true };

        live();
        if ffi::param_attach() == Attach::Registered && way() != Way::Registered {
            pr_err!("attach=registered: no KVM is loaded that takes a timer provider\n");
            return Err(ENODEV);
        }
        Ok(this)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if !self.watching {
            return;
        }
        ffi::kvm_unwatch();

        let way = way();

        // First nothing is put on the module's queues any more, then nobody calls it.
        pending::close();
        hooks::unhook();
        if way == Way::Registered {
            ffi::kvm_unregister();
        }
        if way != Way::None {
            pr_info!("KVM's timers are as before\n");
        }
        ffi::hooks_stay_if_stuck();
    }
}

/// One of KVM's modules has come, or may have been there before.
pub(crate) fn live() {
    let _lock = KvmLock::lock();
    let attach = ffi::param_attach();

    if way() == Way::Registered {
        return;
    }
    if attach != Attach::Hooked {
        let registered = ffi::kvm_register();

        // One that was still coming when it was looked for was hooked. And where another provider
        // arms the timers, hooks would compensate them twice.
        if registered != Err(ENOENT) {
            hooks::unhook();
        }
        match registered {
            Ok(()) => {
                REGISTERED.store(1, Relaxed);
                // Which ones that are is KVM's to know.
                pr_info!(
                    "KVM calls the module for each timer that it arms by a deadline \
                     (patches/kvm: nested, lapic, hyperv, xen)\n"
                );
                return;
            }
            Err(error) if error == ENOENT => (),
            Err(error) => {
                pr_warn!("KVM refuses the registration ({error:?}): its timers are as before\n");
                return;
            }
        }
    }
    if matches!(attach, Attach::Auto | Attach::Hooked) {
        hooks::refresh();
        report();
    }
}

/// One of KVM's modules has gone, and with it its registration and its functions.
pub(crate) fn gone(module: Module) {
    let _lock = KvmLock::lock();

    if module == Module::KVM {
        REGISTERED.store(0, Relaxed);
    }
    hooks::forget(module);
}

/// Says which timers are covered, and which are not and why.
fn report() {
    if way() == Way::Hooked {
        pr_info!("KVM is hooked: {}\n", cover::Line);
    } else if cover::is_any_missed() {
        pr_warn!("KVM is not hooked: {}\n", cover::Line);
    } else {
        pr_info!("no KVM is loaded; one that comes will be attached to\n");
    }
}
