// SPDX-License-Identifier: GPL-2.0

//! Stands in for `rust/ffi.rs`. Nodes, queues, lists and timers are the module's own files.

// The build script adds the modules.

pub(crate) use cpu::{
    possible_cpus,
    Call,
    Cpu, //
};
pub(crate) use hooks::Target;
pub(crate) use kernel::{
    cpu_relax,
    smp_mb,
    Word, //
};
pub(crate) use locked::{
    Locked,
    Two, //
};
pub(crate) use node::{
    Node,
    State, //
};
pub(crate) use queue::Queue;
pub(crate) use timer::{
    warn_clock,
    warn_mode,
    Cancel,
    Mode,
    Timer, //
};

use crate::units::{
    Cycles,
    MonoNs, //
};

use bindings::{
    hrtimer,
    hrtimer_mode,
    tsc_timer, //
};
use entries::Vcpu;
use kernel::prelude::*;
use std::ptr::{
    without_provenance_mut,
    NonNull, //
};

pub(crate) mod word {
    pub(crate) use kernel::Word;

    pub(crate) fn barrier() {}

    /// Where a word is, and its first value, which nobody overwrites.
    unsafe fn word<const OFFSET: usize>(base: *mut u8) -> (usize, u32) {
        // SAFETY: As the caller's.
        let word = unsafe { base.add(OFFSET) }.cast::<u32>();

        super::bindings::entry::assert_there(word.addr());
        // SAFETY: As the caller's.
        (word.addr(), unsafe { word.read() })
    }

    pub(crate) unsafe fn xchg_at<const OFFSET: usize>(base: *mut u8, value: u32) -> u32 {
        // SAFETY: As the caller's.
        let (word, first) = unsafe { word::<OFFSET>(base) };

        kernel::xchg(word, first, value)
    }

    pub(crate) unsafe fn cmpxchg_at<const OFFSET: usize>(base: *mut u8, old: u32, new: u32) -> u32 {
        // SAFETY: As the caller's.
        let (word, first) = unsafe { word::<OFFSET>(base) };

        kernel::cmpxchg(word, first, old, new)
    }
}

/// Tracepoints that are off.
pub(crate) mod trace {
    use super::{
        Cycles,
        Mode,
        MonoNs,
        Node,
        Timer, //
    };

    pub(crate) fn start(_timer: Timer<'_>, _deadline: Cycles, _expiry: MonoNs) {}
    pub(crate) fn arm(timer: Timer<'_>, _deadline: Cycles, expiry: MonoNs, mode: Mode) {
        timer.start(expiry, mode);
    }
    pub(crate) fn arm_node(node: Node<'_>, expiry: MonoNs, mode: Mode) {
        node.timer().start(expiry, mode);
    }
    pub(crate) fn expire(_timer: Timer<'_>, _deadline: Cycles, _now: Cycles) {}
    pub(crate) fn expire_node(_node: Node<'_>, _now: Cycles) {}
    pub(crate) fn rearm(_timer: Timer<'_>, _deadline: Cycles, _expiry: MonoNs) {}
    pub(crate) fn rate() {}
}

/// As in 7.3.
pub(crate) const SLACK: MonoNs = MonoNs::new(0);

pub(crate) fn may_run_from(expiry: MonoNs) -> MonoNs {
    expiry
}

/// As in 7.3, which does not matter.
pub(crate) const CSID_X86_TSC: u32 = 4;

/// What an entry point makes of its argument.
pub(crate) fn node<'a>(tt: *mut tsc_timer) -> Node<'a> {
    // SAFETY: The model keeps its nodes and timers until the end of an execution.
    unsafe { Node::from_raw(NonNull::new(tt).expect("a node")) }
}

/// The same, of a timer.
pub(crate) fn timer<'a>(timer: *mut hrtimer) -> Timer<'a> {
    // SAFETY: As above.
    unsafe { Timer::from_raw(NonNull::new(timer).expect("a timer")) }
}

/// And of a vCPU.
pub(crate) fn vcpu(vcpu: usize) -> Vcpu {
    Vcpu::from_c(without_provenance_mut(vcpu))
}

/// One of the two CPUs.
pub(crate) fn cpu(cpu: i32) -> Cpu {
    // SAFETY: The models have no others.
    unsafe { Cpu::from_raw(cpu) }
}

pub(crate) fn mode(mode: hrtimer_mode) -> Mode {
    Mode::from_c(mode)
}

pub(crate) fn rdtsc() -> Cycles {
    Cycles::new(bindings::tsc())
}

pub(crate) fn ktime_get() -> MonoNs {
    MonoNs::new(bindings::clock())
}

pub(crate) fn clockevent_counts_tsc() -> bool {
    uncoupled() == 0
}

pub(crate) fn uncoupled() -> u64 {
    0
}

pub(crate) const UNCOUPLED: u64 = 1 << 63;

/// No event is late.
pub(crate) fn mark() -> u64 {
    0
}

pub(crate) fn set_mark(_mark: u64) {}

pub(crate) fn renew_event(_mark: u64) {}

pub(crate) fn renew_elsewhere() {}

pub(crate) fn event_expiry() -> MonoNs {
    MonoNs::new(i64::MAX)
}

pub(crate) fn param_rearm() -> bool {
    true
}

/// Made at once.
pub(crate) struct Queues(());

impl Queues {
    pub(crate) fn new() -> Result<Self> {
        bindings::queues_init();
        Ok(Self(()))
    }
}

impl Drop for Queues {
    fn drop(&mut self) {
        bindings::flush();
    }
}

pub(crate) fn pass_queue() {
    bindings::queue_work(bindings::Work::Pass);
}

pub(crate) fn tsc_restarted() {
    bindings::met("TSC restarted");
    bindings::queue_work(bindings::Work::Restarted);
}

pub(crate) fn rearm_on(call: &Call) -> bool {
    bindings::rearm_on(call.cpu().number())
}

pub(crate) fn rearm_more(cpu: Cpu, pause: u32) {
    bindings::rearm_more(cpu.number(), pause);
}

/// The models call the listener themselves.
pub(crate) struct GtodListener(());

impl GtodListener {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(()))
    }
}
