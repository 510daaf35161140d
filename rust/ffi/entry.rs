// SPDX-License-Identifier: GPL-2.0

//! What C calls: the exported functions' bodies, and the shim's ways back.
//!
//! C header: [`c/shim.h`](../../c/shim.h), whose prototypes the functions are checked against.

use super::{
    bindings,
    entries::Vcpu,
    node::Node,
    table,
    target::{
        Module,
        Target, //
    },
    timer::{
        Mode,
        Timer, //
    },
    File,
    EOPNOTSUPP, //
};
use crate::{
    clock::{
        rate::{
            Cycles,
            MonoNs,
            RawNs,
            Skew, //
        },
        snapshot::CURRENT, //
    },
    debugfs,
    kvm::{
        attach,
        cover,
        hooked::{
            self,
            Verdict, //
        }, //
    },
    timer::{
        arm,
        pending, //
    }, //
};

use core::ptr::NonNull;

use kernel::{
    error::code::EINVAL,
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    seq_file::SeqFile, //
};

/// Defines functions for C, each of which has the very type of its prototype in the shim's header.
macro_rules! entries {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),*) $(-> $ret:ty)? $body:block)*) => {
        $(
            $(#[$meta])*
            #[no_mangle]
            unsafe extern "C" fn $name($($arg: $type),*) $(-> $ret)? $body

            const _: () = {
                let mut _prototype: unsafe extern "C" fn($($type),*) $(-> $ret)? = bindings::$name;
                _prototype = $name;
            };
        )*
    };
}

entries! {
    /// # Safety
    ///
    /// `timer` was set up by `hrtimer_setup()`. Any context but NMI.
    fn rust_raw_hrtimer_start(
        timer: *mut bindings::hrtimer,
        deadline: u64,
        mode: bindings::hrtimer_mode
    ) {
        let Some(timer) = NonNull::new(timer) else { return };
        // SAFETY: The caller promises it, for the length of this call.
        let timer = unsafe { Timer::from_raw(timer) };
        arm::start(timer, Cycles::new(deadline), Mode::from_c(mode));
    }

    /// # Safety
    ///
    /// `timer` is the one whose callback calls this.
    fn rust_raw_hrtimer_finish(timer: *mut bindings::hrtimer, deadline: u64) -> bool {
        let Some(timer) = NonNull::new(timer) else { return true };
        // SAFETY: The caller promises it, for the length of this call.
        let timer = unsafe { Timer::from_raw(timer) };
        arm::finish(timer, Cycles::new(deadline))
    }

    /// # Safety
    ///
    /// `expiry` can be written to. Any context.
    fn rust_raw_hrtimer_expiry(deadline: u64, expiry: *mut bindings::ktime_t) -> c_int {
        let Some(expiry) = NonNull::new(expiry) else { return EINVAL.to_errno() };
        let Some(ns) = arm::expiry(Cycles::new(deadline)) else {
            return EOPNOTSUPP;
        };
        // SAFETY: The caller promises it.
        unsafe { expiry.write(ns.get()) };
        0
    }

    /// # Safety
    ///
    /// None. Any context.
    fn rust_raw_hrtimer_scale(raw_delta: bindings::ktime_t) -> bindings::ktime_t {
        arm::scale(RawNs::new(raw_delta)).get()
    }

    /// # Safety
    ///
    /// `rate` can be written to. Any context.
    fn rust_raw_hrtimer_get_rate(rate: *mut bindings::raw_hrtimer_rate) {
        let Some(rate) = NonNull::new(rate) else { return };
        let mut out = bindings::raw_hrtimer_rate::default();

        if let Some((snapshot, generation)) = CURRENT.read() {
            let mono = snapshot.timeline.rate;

            out.mono_mult = mono.mult();
            out.raw_mult = snapshot.raw.mult();
            out.shift = mono.shift();
            out.tsc = snapshot.tsc;
            out.generation = generation;
            out.skew_ppb = Skew::between(mono, snapshot.raw).ppb();
        }
        // SAFETY: The caller promises it.
        unsafe { rate.write(out) };
    }

    /// # Safety
    ///
    /// `tt` was set up by `tsc_timer_setup()`, its timer by `hrtimer_setup()`, both are valid until
    /// a cancel has returned, and no other operation on `tt` runs. Any context but NMI.
    fn rust_raw_hrtimer_node_start(
        tt: *mut bindings::tsc_timer,
        mode: bindings::hrtimer_mode
    ) -> bool {
        let Some(tt) = NonNull::new(tt) else { return false };
        // SAFETY: The caller promises it.
        let node = unsafe { Node::from_raw(tt) };
        pending::start(node, Mode::from_c(mode))
    }

    /// # Safety
    ///
    /// `tt` and its timer are as for `rust_raw_hrtimer_node_start()`. In that timer's callback, while
    /// no other operation on `tt` runs but a cancel.
    fn rust_raw_hrtimer_node_restart(tt: *mut bindings::tsc_timer) -> bool {
        let Some(tt) = NonNull::new(tt) else { return false };
        // SAFETY: The caller promises it.
        let node = unsafe { Node::from_raw(tt) };
        pending::restart(node)
    }

    /// # Safety
    ///
    /// `tt` and its timer are as for `rust_raw_hrtimer_node_start()`. Any context but NMI, while no
    /// other operation on `tt` runs but a restart.
    fn rust_raw_hrtimer_node_cancel(tt: *mut bindings::tsc_timer) {
        let Some(tt) = NonNull::new(tt) else { return };
        // SAFETY: The caller promises it.
        let node = unsafe { Node::from_raw(tt) };
        pending::forget(node);
    }

    /// # Safety
    ///
    /// For the shim's files alone: `seq` is one that is being shown.
    fn rust_raw_hrtimer_show(seq: *mut bindings::seq_file, file: bindings::rht_file) {
        // SAFETY: The caller promises it, for the length of this call.
        let seq = unsafe { SeqFile::from_raw(seq) };
        let file = match file {
            bindings::rht_file_RHT_FILE_RATE => File::Rate,
            bindings::rht_file_RHT_FILE_COUNTERS => File::Counters,
            _ => File::Attach,
        };
        debugfs::show(seq, file);
    }

    /// # Safety
    ///
    /// For the shim's irq_work alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_pass(cpu: c_uint) {
        pending::pass(cpu);
    }

    /// # Safety
    ///
    /// For the shim's irq_work alone: hard interrupt.
    fn rust_raw_hrtimer_tsc_restarted() {
        hooked::forget_all();
    }

    /// # Safety
    ///
    /// For the shim's call to a CPU alone: hard interrupt, on `cpu`.
    fn rust_raw_hrtimer_called(cpu: c_int) {
        pending::called(cpu);
    }

    /// # Safety
    ///
    /// For the shim's timers alone: hard interrupt, `cpu` is a possible one.
    fn rust_raw_hrtimer_more(cpu: c_int, this_cpu: c_int) {
        pending::more(cpu, this_cpu);
    }

    /// # Safety
    ///
    /// For the shim's module notifier alone: process context.
    fn rust_raw_hrtimer_kvm_live() {
        attach::live();
    }

    /// # Safety
    ///
    /// As for `rust_raw_hrtimer_kvm_live()`.
    fn rust_raw_hrtimer_kvm_gone(module: bindings::rht_kvm_module) {
        attach::gone(Module::from_c(module));
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
    fn rust_raw_hrtimer_hooked_vcpu_gone(vcpu: *mut c_void) {
        hooked::vcpu_gone(Vcpu::from_c(vcpu));
    }

    /// # Safety
    ///
    /// For the shim's work item alone: process context.
    fn rust_raw_hrtimer_entries_work() {
        table::fill();
        cover::say_what_was_noticed();
    }
}
