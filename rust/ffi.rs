// SPDX-License-Identifier: GPL-2.0

//! The only user of the generated bindings, and the only unsafe code.
//!
//! Each part turns what C gives into a type that upholds its own invariants; what the rest of the
//! crate sees is safe.

mod bindings;
pub(crate) mod counter;
pub(crate) mod entries;
mod entry;
mod list;
mod node;
pub(crate) mod table;
mod target;
mod timekeeper;
mod timer;
mod word;

pub(crate) use node::{
    Call,
    Node,
    Queue,
    Two, //
};
pub(crate) use target::{
    hooks_place,
    hooks_possible,
    hooks_remove,
    hooks_stay_if_stuck,
    tsc_khz,
    Module,
    Target, //
};
pub(crate) use timekeeper::{
    register_gtod_listener,
    timekeeper_layout_matches,
    unregister_gtod_listener,
    CSID_X86_TSC, //
};
pub(crate) use timer::{
    Cancel,
    Mode,
    Timer, //
};

use word::barrier;
pub(crate) use word::{
    smp_mb,
    Word, //
};

use crate::clock::rate::{
    Cycles,
    MonoNs, //
};

use core::ptr::addr_of;

use kernel::{
    error::to_result,
    ffi::c_int,
    prelude::*,
    types::NotThreadSafe, //
};

/// Not among the kernel crate's codes before 7.3. CAST: A small number.
const EOPNOTSUPP: c_int = -(bindings::EOPNOTSUPP as c_int);

/// The same as an error.
pub(crate) fn eopnotsupp() -> Error {
    Error::from_errno(EOPNOTSUPP)
}

/// Reads the TSC, not before the instructions that came earlier: `rdtsc_ordered()`. Any context.
#[inline]
pub(crate) fn rdtsc() -> Cycles {
    let (low, high): (u64, u64);

    // SAFETY: Every processor that the kernel for x86-64 runs on has a TSC and `LFENCE`, behind which
    // no later instruction starts before the earlier ones are done; nothing else is touched.
    unsafe {
        core::arch::asm!("lfence", "rdtsc", out("rax") low, out("rdx") high, options(nostack))
    };
    Cycles::new(low | high << 32)
}

/// Reads `CLOCK_MONOTONIC`. Any context but NMI and the listener.
#[inline]
pub(crate) fn ktime_get() -> MonoNs {
    // SAFETY: The timekeeper runs before any module is loaded, and the caller does not interrupt its
    // update, nor is part of it.
    MonoNs::new(unsafe { bindings::ktime_get() })
}

/// Whether the hrtimers' clockevent is programmed with the TSC value at which the monotonic clock
/// reaches an expiry, and so goes with its rate. Any context.
#[inline]
pub(crate) fn clockevent_counts_tsc() -> bool {
    // SAFETY: Reads a byte once that is written where a CPU comes online.
    unsafe { addr_of!(bindings::rht_clockevent_counts_tsc).read_volatile() }
}

/// Warns, once, of a timer on another clock. Any context.
#[cold]
pub(crate) fn warn_clock() {
    // SAFETY: `WARN_ONCE()` may be used in any context.
    unsafe { bindings::rht_warn_clock() };
}

/// Warns, once, of a relative mode. Any context.
#[cold]
pub(crate) fn warn_mode() {
    // SAFETY: `WARN_ONCE()` may be used in any context.
    unsafe { bindings::rht_warn_mode() };
}

/// The possible CPUs, in order.
pub(crate) fn possible_cpus() -> impl Iterator<Item = i32> {
    let next = |cpu: &i32| {
        // SAFETY: `cpumask_next()` takes -1 or any CPU number, which is all that comes from here.
        Some(unsafe { bindings::rht_next_cpu(*cpu) })
    };

    core::iter::successors(Some(-1), next)
        .skip(1)
        .take_while(|cpu| *cpu >= 0)
}

/// Makes the per-CPU lists empty ones. To be called before all else.
pub(crate) fn init() {
    // SAFETY: The module is being loaded: nobody else knows of what is written yet.
    unsafe { bindings::rht_queues_init() };
    // SAFETY: As above.
    unsafe { bindings::rht_pass_init() };
}

/// Looks at each CPU's clockevent, and at those of CPUs that come online. To be called before a timer is
/// armed. May sleep.
pub(crate) fn clockevent_watch() {
    // SAFETY: Called in process context, once.
    unsafe { bindings::rht_clockevent_watch() };
}

/// Looks at them no more. May sleep.
pub(crate) fn clockevent_unwatch() {
    // SAFETY: Called in process context, once, after `clockevent_watch()`.
    unsafe { bindings::rht_clockevent_unwatch() };
}

/// Asks for a pass over the pending timers. Any context, the listener's included.
#[inline]
pub(crate) fn pass_queue() {
    // SAFETY: `irq_work_queue()` may be called in any context, and the work is a static one that
    // `pass_flush()` waits for before the module goes.
    unsafe { bindings::rht_pass_queue() };
}

/// Asks for all hooked timers to be forgotten, because the TSC may count anew: it has restarted, or the
/// clocksource has left it or come back to it. Any context, the listener's included.
pub(crate) fn tsc_restarted() {
    // SAFETY: As in `pass_queue()`.
    unsafe { bindings::rht_tsc_restarted() };
}

/// Waits until what `tsc_restarted()` has asked for is done. May sleep.
pub(crate) fn tsc_restarted_flush() {
    // SAFETY: Process context; the listener, which alone queues the work, is unregistered.
    unsafe { bindings::rht_tsc_restarted_flush() };
}

/// Asks the CPU of `call` to look at its due timers; `false` if it is offline. Context: hard interrupt.
pub(crate) fn rearm_on(call: &Call) -> bool {
    // SAFETY: By its invariant `call` is to a possible CPU, which has a static `call_single_data_t` of
    // its own, and that is not in use.
    unsafe { bindings::rht_rearm_on(call.cpu()) }
}

/// Has the due timers of `cpu` looked at again after a pause, in nanoseconds, from this CPU. Context: hard
/// interrupt.
pub(crate) fn rearm_more(cpu: i32, pause: u32) {
    // SAFETY: `cpu` is a possible CPU, as `possible_cpus()` returns them; each has its own static
    // hrtimer, set up before any pass is asked for, that `pass_flush()` waits for before the module
    // goes.
    unsafe { bindings::rht_rearm_more(cpu, pause) };
}

/// Waits until all that `pass_queue()` has asked for is done. May sleep.
pub(crate) fn pass_flush() {
    // SAFETY: Called in process context, from the module's exit; the listener, which alone queues
    // the work, is unregistered.
    unsafe { bindings::rht_pass_flush() };
}

/// Registers the module's operations with KVM. `ENOENT` without a KVM that takes them.
pub(crate) fn kvm_register() -> Result {
    // SAFETY: Called in process context; the operations are static and call what is ready to be
    // called, because the lists were made and the listener registered before.
    to_result(unsafe { bindings::rht_kvm_register() })
}

/// Takes them back, and waits for whoever is inside one.
pub(crate) fn kvm_unregister() {
    // SAFETY: Called in process context, after a registration that succeeded.
    unsafe { bindings::rht_kvm_unregister() };
}

/// The right to look at which KVM is loaded, and to attach to it.
///
/// # Invariants
///
/// The shim's mutex is held; it is released on drop.
pub(crate) struct KvmLock(NotThreadSafe);

impl KvmLock {
    /// Waits for it. Process context.
    pub(crate) fn lock() -> Self {
        // SAFETY: Process context; nobody who holds it calls this.
        unsafe { bindings::rht_kvm_lock() };
        // INVARIANT: It was just locked.
        Self(NotThreadSafe)
    }
}

impl Drop for KvmLock {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant it is held, by this task.
        unsafe { bindings::rht_kvm_unlock() };
    }
}

/// Starts to be told of KVM's coming and going.
pub(crate) fn kvm_watch() -> Result {
    // SAFETY: Called in process context, once, with a static notifier block.
    to_result(unsafe { bindings::rht_kvm_watch() })
}

/// Is told no more, and waits for a notification that runs.
pub(crate) fn kvm_unwatch() {
    // SAFETY: Called in process context, after `kvm_watch()` has succeeded.
    unsafe { bindings::rht_kvm_unwatch() };
}

/// A file in debugfs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    /// `rate`.
    Rate,
    /// `counters`.
    Counters,
    /// `attach`.
    Attach,
}

/// Creates the files in debugfs.
pub(crate) fn debugfs_create() {
    // SAFETY: Process context, once; what the files show is ready to be read.
    unsafe { bindings::rht_debugfs_create() };
}

/// Removes them.
pub(crate) fn debugfs_remove() {
    // SAFETY: Process context, after `debugfs_create()`.
    unsafe { bindings::rht_debugfs_remove() };
}

/// Parameter `attach`: which KVM to attach to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attach {
    /// One that offers it.
    Auto,
    /// The one that is loaded, or fail.
    Registered,
    /// From outside, whatever it offers.
    Hooked,
    /// None.
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
