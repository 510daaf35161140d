// SPDX-License-Identifier: GPL-2.0

//! Attaching to KVM: registering with one that calls the module (`patches/kvm`), or hooking it.
//!
//! KVM's modules come and go before and after this one. A KVM that offers the registration point is
//! registered with; any other is hooked, unless the parameter `attach` says otherwise.
//!
//! ```text
//!               +-- KVM offers it ------> registered --+
//!   detached ---+                                      +-- its module goes, or this one --> detached
//!               +-- a target was found --> hooked -----+
//! ```

use super::{
    cover::{
        self,
        Missed, //
    },
    hooks::Hooks, //
};

use crate::{
    ffi::{
        self,
        Attach,
        KvmNotifier,
        Module,
        Registration, //
    },
    timer::pending, //
};

use core::mem;

use kernel::{
    prelude::*,
    sync::global_lock, //
};

/// How KVM's timers are started for their deadlines.
enum Attached {
    /// They are not.
    Nothing,
    /// KVM calls the module.
    Registered(Registration),
    /// KVM is hooked.
    Hooked(Hooks),
}

impl Attached {
    /// Returns its name in the log and in debugfs.
    fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Registered(_) => "registered",
            Self::Hooked(_) => "hooked",
        }
    }

    fn trace(&self) {
        ffi::trace::attach(match self {
            Self::Nothing => Attach::Off,
            Self::Registered(_) => Attach::Registered,
            Self::Hooked(_) => Attach::Hooked,
        });
    }
}

/// How the module is attached, and why some timers are not covered.
struct State {
    attached: Attached,
    missed: Missed,
}

global_lock! {
    // SAFETY: `Attachment::new()` initialises it before the notifier is registered and the files are
    // created, through which all others come.
    unsafe(uninit) static STATE: Mutex<State> = State {
        attached: Attached::Nothing,
        missed: cover::NONE_MISSED,
    };
}

/// What the file `attach` shows.
pub(crate) struct Status {
    /// How KVM's timers come to be started for their deadlines.
    pub(crate) name: &'static str,
    /// Why some are not; nothing of those of a KVM that calls the module, because that is KVM's to know.
    pub(crate) missed: Option<Missed>,
}

/// Returns how the module is attached. Process context.
pub(crate) fn status() -> Status {
    let state = STATE.lock();
    let is_registered = matches!(state.attached, Attached::Registered(_));

    Status {
        name: state.attached.name(),
        missed: (!is_registered).then_some(state.missed),
    }
}

/// Keeps the module attached to whichever KVM is loaded.
#[must_use = "dropping it gives KVM's timers back"]
pub(crate) struct Attachment {
    notifier: Option<KvmNotifier>,
}

impl Attachment {
    /// Attaches to a KVM that is loaded, and waits for one that comes later. Called once.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: The module is loaded once, and makes one of these.
        unsafe { STATE.init() };

        if ffi::param_attach() == Attach::Off {
            pr_info!("attach=off: no KVM's timers are touched\n");
            return Ok(Self { notifier: None });
        }
        if ffi::param_attach() == Attach::Hooked && !ffi::hooks_possible() {
            pr_err!("attach=hooked: {}\n", cover::NO_HOOKS);
            return Err(ffi::eopnotsupp());
        }
        // From here on an error is undone by the drop.
        let this = Self {
            notifier: Some(KvmNotifier::new()?),
        };

        module_live();
        let is_registered = matches!(STATE.lock().attached, Attached::Registered(_));
        if ffi::param_attach() == Attach::Registered && !is_registered {
            pr_err!("attach=registered: no KVM is loaded that takes a timer provider\n");
            return Err(ENODEV);
        }
        Ok(this)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if self.notifier.is_none() {
            return;
        }
        self.notifier = None;

        // First no node is queued any more, then nobody calls the module.
        pending::close();
        let attached = STATE.lock().detach();
        if !matches!(attached, Attached::Nothing) {
            drop(attached);
            Attached::Nothing.trace();
            pr_info!("KVM's timers are as before\n");
        }
        ffi::hooks_stay_if_stuck();
    }
}

/// One of KVM's modules is live, or may have been before.
pub(crate) fn module_live() {
    let mut state = STATE.lock();
    let attach = ffi::param_attach();

    if let Attached::Registered(_) = state.attached {
        return;
    }
    if attach != Attach::Hooked {
        let registered = Registration::new();

        if !matches!(registered, Err(error) if error == ENOENT) {
            state.set_registered(registered);
            return;
        }
    }
    if matches!(attach, Attach::Auto | Attach::Hooked) {
        state.hook();
        state.report();
    }
}

/// One of KVM's modules is being removed, and with it its registration and its functions.
pub(crate) fn module_going(module: Module) {
    let mut state = STATE.lock();
    let State { attached, missed } = &mut *state;

    let is_over = match attached {
        Attached::Nothing => false,
        Attached::Registered(_) => module == Module::KVM,
        Attached::Hooked(hooks) => !hooks.remove_module(module, missed),
    };
    if is_over {
        drop(state.detach());
    }
    state.attached.trace();
    cover::module_gone(module, &mut state.missed);
}

impl State {
    /// Returns what the module was attached by; dropping that gives KVM's timers back.
    fn detach(&mut self) -> Attached {
        mem::replace(&mut self.attached, Attached::Nothing)
    }

    /// KVM takes a provider, or refuses this one because it has another.
    fn set_registered(&mut self, registered: Result<Registration>) {
        // kvm.ko may have been hooked while it was still MODULE_STATE_COMING: undo that. And where
        // another provider starts the timers, hooks would correct their expiries a second time.
        drop(self.detach());
        self.missed = cover::NONE_MISSED;
        match registered {
            Ok(registration) => {
                self.attached = Attached::Registered(registration);
                self.attached.trace();
                // Which timers these are is KVM's to know.
                pr_info!(
                    "KVM calls the module for each timer that it arms by a deadline \
                     (patches/kvm: nested, lapic, hyperv, xen)\n"
                );
            }
            Err(error) => {
                pr_warn!("KVM refuses the registration ({error:?}): its timers are as before\n");
            }
        }
    }

    /// Hooks the timers of the KVM modules that are loaded.
    fn hook(&mut self) {
        let hooks = match self.detach() {
            Attached::Hooked(hooks) => Some(hooks),
            _ => None,
        };

        if let Some(hooks) = Hooks::place(hooks, &mut self.missed) {
            self.attached = Attached::Hooked(hooks);
        }
    }

    /// Writes to the log, and traces, which timers are covered, and which are not and why.
    fn report(&self) {
        let line = cover::Line(&self.missed);

        self.attached.trace();
        if let Attached::Hooked(_) = self.attached {
            pr_info!("KVM is hooked: {line}\n");
        } else if cover::is_any_missed(&self.missed) {
            pr_warn!("KVM is not hooked: {line}\n");
        } else {
            pr_info!("no KVM is loaded; one that comes will be attached to\n");
        }
    }
}
