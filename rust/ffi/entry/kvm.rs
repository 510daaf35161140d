// SPDX-License-Identifier: GPL-2.0

//! KVM's modules, and the hooks.

use super::super::{
    bindings,
    entries::Vcpu,
    hooks::{
        Module,
        Target, //
    },
    table,
    timer::{
        Mode,
        Timer, //
    }, //
};

use crate::{
    kvm::{
        attach,
        cover,
        hooked::{
            self,
            Verdict, //
        }, //
    },
    units::MonoNs, //
};

use core::ptr::NonNull;

use kernel::ffi::{
    c_int,
    c_void, //
};

entries! {
    /// # Safety
    ///
    /// For the shim's module notifier alone: process context.
    fn rust_raw_hrtimer_kvm_live() {
        attach::module_live();
    }

    /// # Safety
    ///
    /// As for `rust_raw_hrtimer_kvm_live()`.
    fn rust_raw_hrtimer_kvm_going(module: bindings::rht_kvm_module) {
        attach::module_going(Module::from_c(module));
    }

    /// # Safety
    ///
    /// In place of a function that starts `timer` alone.
    fn rust_raw_hrtimer_hooked_start(
        timer: *mut bindings::hrtimer,
        expiry: bindings::ktime_t,
        mode: bindings::hrtimer_mode
    ) -> bool {
        let Some(timer) = NonNull::new(timer) else { return false };
        // SAFETY: The caller promises it, for the length of this call.
        let timer = unsafe { Timer::from_raw(timer) };
        hooked::start(timer, MonoNs::new(expiry), Mode::from_c(mode))
    }

    /// # Safety
    ///
    /// As for `rust_raw_hrtimer_hooked_start()`.
    fn rust_raw_hrtimer_hooked_plain(timer: *mut bindings::hrtimer) {
        let Some(timer) = NonNull::new(timer) else { return };
        // SAFETY: The caller promises it, for the length of this call.
        hooked::plain(unsafe { Timer::from_raw(timer) });
    }

    /// # Safety
    ///
    /// For the hook in `hrtimer_cancel()` alone, with that function's timer.
    fn rust_raw_hrtimer_hooked_cancel(timer: *mut bindings::hrtimer) {
        let Some(timer) = NonNull::new(timer) else { return };
        // SAFETY: The caller promises it, for the length of this call.
        hooked::cancel(unsafe { Timer::from_raw(timer) });
    }

    /// # Safety
    ///
    /// In place of `hrtimer_try_to_cancel()` alone, with that function's timer.
    fn rust_raw_hrtimer_hooked_try_to_cancel(timer: *mut bindings::hrtimer) -> c_int {
        let Some(timer) = NonNull::new(timer) else { return 0 };
        // SAFETY: The caller promises it, for the length of this call.
        hooked::try_to_cancel(unsafe { Timer::from_raw(timer) }).into_c()
    }

    /// # Safety
    ///
    /// In place of `__hrtimer_get_remaining()` alone, with that function's timer; `remaining` can be
    /// written to.
    fn rust_raw_hrtimer_hooked_remaining(
        timer: *mut bindings::hrtimer,
        remaining: *mut bindings::ktime_t
    ) -> bool {
        let (Some(timer), Some(remaining)) = (NonNull::new(timer), NonNull::new(remaining)) else {
            return false;
        };
        // SAFETY: The caller promises it, for the length of this call.
        let Some(ns) = hooked::remaining(unsafe { Timer::from_raw(timer) }) else {
            return false;
        };
        // SAFETY: The caller promises it.
        unsafe { remaining.write(ns.get()) };
        true
    }

    /// # Safety
    ///
    /// For the hook in a callback alone, with its timer, while the hrtimer core calls it.
    fn rust_raw_hrtimer_hooked_callback(
        timer: *mut bindings::hrtimer,
        target: bindings::rht_target_id
    ) -> bindings::rht_verdict {
        let (Some(timer), Some(target)) = (NonNull::new(timer), Target::from_c(target)) else {
            return bindings::rht_verdict_RHT_PASS;
        };
        // SAFETY: The caller promises it, for the length of this call.
        match hooked::callback(unsafe { Timer::from_raw(timer) }, target) {
            Verdict::Pass => bindings::rht_verdict_RHT_PASS,
            Verdict::Early => bindings::rht_verdict_RHT_EARLY,
            Verdict::Wrap => bindings::rht_verdict_RHT_WRAP,
        }
    }

    /// # Safety
    ///
    /// After a callback alone, with its timer, in the wrapper that has called it.
    fn rust_raw_hrtimer_hooked_ran(timer: *mut bindings::hrtimer, restarts: bool) {
        let Some(timer) = NonNull::new(timer) else { return };
        // SAFETY: The caller promises it, for the length of this call.
        hooked::ran(unsafe { Timer::from_raw(timer) }, restarts);
    }

    /// # Safety
    ///
    /// For the hook in `kvm_arch_vcpu_destroy()` alone, with its vCPU.
    fn rust_raw_hrtimer_hooked_vcpu_destroyed(vcpu: *mut c_void) {
        hooked::vcpu_destroyed(Vcpu::from_c(vcpu));
    }

    /// # Safety
    ///
    /// For the shim's irq_work alone: hard interrupt.
    fn rust_raw_hrtimer_tsc_restarted() {
        hooked::tsc_restarted();
    }

    /// # Safety
    ///
    /// For the shim's work item alone: process context.
    fn rust_raw_hrtimer_entries_work() {
        table::fill();
        cover::log_observed();
    }
}
